import { isScalar, type Scalar, type Tensor } from "@gradus/core";
import { settled } from "./settled.js";

/** `beta old + (1 - beta) value`, which never ends among subnormal numbers: see {@link settled}. */
export function movingAverage(old: Tensor, value: Tensor, beta: Scalar | number): Tensor {
  const rest = isScalar(beta) ? beta.map((b) => 1 - b) : 1 - beta;
  return settled(old.mul(beta).add(value.mul(rest)));
}
