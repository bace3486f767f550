import { isScalar, type Scalar, type Tensor } from "@gradus/core";

/** `beta old + (1 - beta) value`. */
export function movingAverage(old: Tensor, value: Tensor, beta: Scalar | number): Tensor {
  const rest = isScalar(beta) ? beta.map((b) => 1 - b) : 1 - beta;
  return old.mul(beta).add(value.mul(rest));
}
