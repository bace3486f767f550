import { type ContractKernel, calculus as c, cast, type LoopKernel } from "@gradus/core";
import { axesOf, type GroupName } from "./emit/contract-frame.js";
import { contractModule } from "./emit/contract-module.js";
import { ENTRY } from "./emit/loop-module.js";
import { blockingOf, packedSteps } from "./emit/multiply-function.js";
import { tileRows } from "./emit/tile-function.js";
import { loopProgram } from "./loop-program.js";
import type { PhasedProgram } from "./program.js";

/** Products that a thread must have to do for another one to pay. */
const LEAST_WORK = 50_000;

/**
 * A contraction: blocks of sums, for which the operands are read in place or packed to dense rows (which is where their
 * expressions are computed), and from which, still in the cache, all is computed that is written.
 */
export function contractProgram(kernel: ContractKernel): PhasedProgram {
  const { accumulate } = kernel;
  if (accumulate === "bool") return loopProgram(asLoops(kernel));
  const { module, left, kernel: lowered } = contractModule(kernel, ENTRY);
  const { fixed, perStep } = blockingOf(accumulate, left);
  const tile = tileRows(accumulate);
  const count = (sizes: readonly number[], group: GroupName): number =>
    axesOf(lowered, group).reduce((product, axis) => product * (sizes[axis] as number), 1);
  const phase = {
    module,
    entry: ENTRY,
    parts(sizes: readonly number[]): number {
      const [batch, m, n, k] = (["batch", "m", "n", "k"] as const).map((group) => count(sizes, group)) as [
        number,
        number,
        number,
        number,
      ];
      const blocks = batch * Math.ceil(m / tile) * Math.ceil(n / 16);
      return Math.max(1, Math.min(blocks, Math.floor((batch * m * n * Math.max(k, 1)) / LEAST_WORK)));
    },
  };
  const phases = [phase];
  return {
    kind: "phases",
    phases: () => phases,
    scratch(sizes, threads) {
      return threads * (fixed + perStep * packedSteps(count(sizes, "k"))) + 256;
    },
  };
}

function asLoops({ groups, a, b, accumulate, writes, ...kernel }: ContractKernel): LoopKernel {
  const grid = groups.batch + groups.m + groups.n;
  const over = Array.from({ length: groups.k }, (_, i) => grid + i);
  const value = c.mul(cast(a, accumulate), cast(b, accumulate));
  return {
    ...kernel,
    kind: "loop",
    axes: grid + groups.k,
    grid,
    stages: [{ over, op: "sum", value, dtype: accumulate }],
    writes: writes.map((write) => ({ ...write, over: [] })),
  };
}
