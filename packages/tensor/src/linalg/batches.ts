import { broadcastShapes, type Tensor } from "@gradus/core";

/** Two stacks of matrices with their batch axes broadcast. */
export function batchedAlike(name: string, a: Tensor, b: Tensor): [Tensor, Tensor] {
  const batch = broadcastShapes(name, a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [a.expand([...batch, ...a.shape.slice(-2)]), b.expand([...batch, ...b.shape.slice(-2)])];
}
