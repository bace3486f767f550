import type { BatchContext, Tensor } from "@gradus/core";

/** The inputs, all with the batch axis in front: those that are the same for all examples are repeated. */
export function everyBatched({ inputs, batched, size }: BatchContext<unknown>): Tensor[] {
  return inputs.map((x, i) => (batched[i] === true ? x : x.expand([size, ...x.shape])));
}
