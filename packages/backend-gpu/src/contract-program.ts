import { type ContractKernel, calculus as c, type LoopKernel } from "@gradus/core";
import type { Shader } from "./emit/shader.js";
import { type Limits, LoopProgram } from "./loop-program.js";
import type { Pipelines } from "./pipelines.js";
import type { GpuProgram, Work } from "./work.js";

/** A contraction on the device. */
export class ContractProgram implements GpuProgram {
  readonly dependsOnParams = true;
  readonly messages: readonly string[] = [];
  private readonly loops: LoopProgram;

  constructor(kernel: ContractKernel, pipelines: Pipelines, limits: Limits) {
    this.loops = new LoopProgram(asLoops(kernel), pipelines, limits);
  }

  plan(sizes: readonly number[], params: readonly number[], bytes: readonly number[]): readonly Work[] {
    return this.loops.plan(sizes, params, bytes);
  }

  shadersFor(sizes: readonly number[]): readonly Shader[] {
    return this.loops.shadersFor(sizes);
  }
}

/** A contraction as a loop with a sum. */
function asLoops({ groups, a, b, accumulate, writes, ...kernel }: ContractKernel): LoopKernel {
  const grid = groups.batch + groups.m + groups.n;
  const over = Array.from({ length: groups.k }, (_, i) => grid + i);
  return {
    ...kernel,
    kind: "loop",
    axes: grid + groups.k,
    grid,
    stages: [{ over, op: "sum", value: c.mul(a, b), dtype: accumulate }],
    writes: writes.map((write) => ({ ...write, over: [] })),
  };
}
