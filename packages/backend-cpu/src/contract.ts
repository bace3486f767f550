import { type ContractKernel, calculus as c, cast, type LoopKernel } from "@gradus/core";
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
  const { accumulate, groups } = kernel;
  if (accumulate === "bool") return loopProgram(asLoops(kernel));
  const { module, left } = contractModule(kernel, ENTRY);
  const { fixed, perStep } = blockingOf(accumulate, left);
  const tile = tileRows(accumulate);
  const count = (sizes: readonly number[]): { batch: number; m: number; n: number; k: number } => {
    const [afterBatch, afterM] = [groups.batch, groups.batch + groups.m];
    const product = (from: number, to?: number): number => sizes.slice(from, to).reduce((a, b) => a * b, 1);
    return {
      batch: product(0, afterBatch),
      m: product(afterBatch, afterM),
      n: product(afterM, afterM + groups.n),
      k: product(afterM + groups.n),
    };
  };
  const phase = {
    module,
    entry: ENTRY,
    parts(sizes: readonly number[]): number {
      const { batch, m, n, k } = count(sizes);
      const blocks = batch * Math.ceil(m / tile) * Math.ceil(n / 16);
      return Math.max(1, Math.min(blocks, Math.floor((batch * m * n * Math.max(k, 1)) / LEAST_WORK)));
    },
  };
  const phases = [phase];
  return {
    kind: "phases",
    phases: () => phases,
    scratch(sizes, threads) {
      return threads * (fixed + perStep * packedSteps(count(sizes).k)) + 256;
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
