import { fail, formatShape, type Shape, sameShape, type Tensor } from "@gradus/core";
import type { Empty } from "./stateless.js";

/** The scale and shift of a normalisation. */
export interface NormParams {
  /** Ones at first. */
  readonly weight: Tensor;
  /** Zeros at first. */
  readonly bias: Tensor;
}

export interface NormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether there is a weight and a bias to learn. Default true. */
  readonly affine?: boolean;
}

/** Throws unless eps is at least 0. */
export function checkEps(layer: string, eps: number): void {
  if (!(eps >= 0 && eps < Infinity)) fail("invalid-argument", `${layer}: eps must be at least 0, got ${eps}`);
}

/** `normalized weight + bias` with parameters of the given shape, which broadcast as `as`; without them, unchanged. */
export function scaleAndShift(
  name: string,
  normalized: Tensor,
  params: NormParams | Empty,
  shape: Shape,
  as: Shape,
): Tensor {
  if (!("weight" in params)) return normalized;
  const { weight, bias } = params as NormParams;
  for (const [what, value] of [
    ["weight", weight],
    ["bias", bias],
  ] as const) {
    if (!sameShape(value.shape, shape)) {
      fail(
        "shape-mismatch",
        `${name}: ${what} must have shape ${formatShape(shape)}, got ${formatShape(value.shape)}`,
      );
    }
  }
  return normalized.mul(weight.reshape(as)).add(bias.reshape(as));
}
