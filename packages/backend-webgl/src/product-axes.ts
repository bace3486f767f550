import { type ContractKernel, dependsOnAxis, type Expr } from "@gradus/core";

/** The axes of a product. */
export interface ProductAxes {
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
}

export function productAxes({ groups }: ContractKernel): ProductAxes {
  let at = 0;
  const take = (count: number): number[] => Array.from({ length: count }, () => at++);
  return { batch: take(groups.batch), m: take(groups.m), n: take(groups.n), k: take(groups.k) };
}

/** Whether an operand is another one for each point of the batch. */
export function isBatched(operand: Expr, { batch }: ProductAxes): boolean {
  return batch.some((axis) => dependsOnAxis(operand, axis));
}
