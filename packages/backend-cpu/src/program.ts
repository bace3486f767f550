import type { LoopKernel } from "@gradus/core";
import { gridPreference, paramsAt } from "./emit/loop-function.js";
import { loopModule } from "./emit/loop-module.js";
import type { HostBuffer } from "./host-buffer.js";
import type { Arguments, Scratch } from "./scratch.js";

/** One call of a compiled kernel: its buffers lie in the scratch memory. */
export interface Call {
  readonly buffers: readonly HostBuffer[];
  readonly sizes: readonly number[];
  readonly params: readonly number[];
}

/** Runs a compiled kernel. Returns the message of a check that failed. */
export type Program = (call: Call) => string | undefined;

/** Runs loops on memory: the addresses of the kernel's buffers, and what a launch has. Gives the number of a failed check. */
export type LoopRunner = (
  addresses: readonly number[],
  sizes: readonly number[],
  params: readonly number[],
) => number;

/** Both ways to run a loop kernel, each made when it is first used. */
export function loopRunner(kernel: LoopKernel, scratch: Scratch): LoopRunner {
  const ways: (((args: Arguments) => number) | undefined)[] = [];
  const at = paramsAt(kernel);
  const prefersGrid = gridPreference(kernel);
  return (addresses, sizes, params) => {
    const alongGrid = prefersGrid(sizes);
    const way = alongGrid ? 1 : 0;
    let run = ways[way];
    if (run === undefined) {
      run = scratch.load(loopModule(kernel, alongGrid));
      ways[way] = run;
    }
    return run({ words: [...addresses, ...sizes], params, paramsAt: at });
  };
}

export function loopProgram(kernel: LoopKernel, scratch: Scratch): Program {
  const run = loopRunner(kernel, scratch);
  return ({ buffers, sizes, params }) => {
    const failed = run(
      buffers.map((buffer) => buffer.address),
      sizes,
      params,
    );
    return failed === 0 ? undefined : kernel.checks?.[failed - 1]?.message;
  };
}
