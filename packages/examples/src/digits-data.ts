import { type Classification, digits, take } from "@gradus/datasets";
import { tensor } from "@gradus/tensor";
import type { Data } from "@gradus/train";

export interface DigitsData {
  /** Rows of the training part of the split file. */
  readonly train: Data;
  /** Other rows of the training part; absent if none are held out. */
  readonly validation?: Data;
  /** The 360 rows of the test part. */
  readonly test: Data;
}

/** The digits on the default device; every tenth training row is held out for validation on request. */
export function digitsData(options: { readonly validation: boolean }): DigitsData {
  const dataset = digits();
  const isHeldOut = (_: number, i: number): boolean => options.validation && (i + 1) % 10 === 0;
  const heldOut = dataset.train.filter(isHeldOut);
  return {
    train: digitRows(
      dataset,
      dataset.train.filter((row, i) => !isHeldOut(row, i)),
    ),
    ...(heldOut.length > 0 && { validation: digitRows(dataset, heldOut) }),
    test: digitRows(dataset, dataset.test),
  };
}

/** Rows of the digits by their numbers in the data set, as tensors; pixels from 0 to 1. */
export function digitRows(dataset: Classification, numbers: ArrayLike<number>): Data {
  const { x, y, rows } = take(dataset, numbers);
  const pixels = x.map((value) => value / 16);
  return { x: tensor(pixels, { shape: [rows, dataset.features] }), y: tensor(y) };
}
