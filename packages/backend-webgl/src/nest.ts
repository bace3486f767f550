import {
  type Check,
  type ContractKernel,
  calculus as c,
  type LoopKernel,
  type Output,
  type Stage,
} from "@gradus/core";

/** A loop kernel, or a contraction as one: the grid is batch, m and n, and its only stage the sum over k. */
export interface Nest {
  readonly grid: readonly number[];
  readonly stages: readonly Stage[];
  readonly writes: readonly Output[];
  readonly checks: readonly Check[];
}

export function nestOf(kernel: LoopKernel | ContractKernel): Nest {
  const range = (start: number, end: number): number[] =>
    Array.from({ length: end - start }, (_, i) => start + i);
  if (kernel.kind === "loop") {
    const { grid, stages, writes, checks = [] } = kernel;
    return { grid: range(0, grid), stages, writes, checks };
  }
  const { groups, a, b, accumulate, writes } = kernel;
  const grid = groups.batch + groups.m + groups.n;
  return {
    grid: range(0, grid),
    stages: [{ over: range(grid, grid + groups.k), op: "sum", value: c.mul(a, b), dtype: accumulate }],
    writes: writes.map((write) => ({ ...write, over: [] })),
    checks: [],
  };
}
