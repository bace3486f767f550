import type { ContractKernel } from "./kernel.js";

/** The axes of a contraction, by their groups. */
export interface ContractAxes {
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
}

/** Which axes of a contraction are in which group: they are counted through `batch`, `m`, `n` and `k`. */
export function axesOfContract({ groups }: Pick<ContractKernel, "groups">): ContractAxes {
  let next = 0;
  const take = (count: number): number[] => Array.from({ length: count }, () => next++);
  return { batch: take(groups.batch), m: take(groups.m), n: take(groups.n), k: take(groups.k) };
}
