import type { Tensor } from "@gradus/core";

/** A function to minimise, and what is known about it. */
export interface Challenge {
  readonly name: string;
  /** What it tests. */
  readonly about: string;
  /** Of points `[..., n]`: their values, `[...]`. */
  readonly f: (x: Tensor) => Tensor;
  readonly start: readonly number[];
  /** All places with the least value, where there is one; for functions of any dimension, those of `start`'s. */
  readonly minima: readonly (readonly number[])[];
  /** The least value; -Infinity if there is none. */
  readonly least: number;
  /** Minima that are not the least value. */
  readonly localMinima?: readonly (readonly number[])[];
  /** Where the gradient vanishes and no minimum is. */
  readonly saddles?: readonly (readonly number[])[];
  /** What a picture should show: the ranges of the first two coordinates. */
  readonly view: readonly [x: readonly [number, number], y: readonly [number, number]];
}

/** The i-th coordinate of points `[..., n]`. */
export function coordinate(x: Tensor, i: number): Tensor {
  const leading = x.shape.slice(0, -1);
  return x.slice(...leading.map(() => null), [i, i + 1]).reshape(leading);
}
