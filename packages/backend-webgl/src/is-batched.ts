import { type ContractAxes, dependsOnAxis, type Expr } from "@gradus/core";

/** Whether an operand is another one for each point of the batch. */
export function isBatched(operand: Expr, { batch }: ContractAxes): boolean {
  return batch.some((axis) => dependsOnAxis(operand, axis));
}
