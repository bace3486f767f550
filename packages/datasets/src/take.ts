import type { Dataset } from "./dataset.js";

/** Some rows of a data set. */
export interface Rows<Y extends Int32Array | Float32Array> {
  /** `[rows, features]`, row-major. */
  readonly x: Float32Array;
  /** `[rows]`. */
  readonly y: Y;
  readonly rows: number;
}

/**
 * Copies the given rows, in the given order; a row may be taken more than once.
 *
 * @throws RangeError for an index that is not a row of the data set.
 *
 * @example
 * ```ts
 * import { iris, take } from "@gradus/datasets";
 *
 * const data = iris();
 * const train = take(data, data.train);
 * console.log(train.rows, train.x.length, train.y.length); // → 120 480 120
 * ```
 */
export function take<Y extends Int32Array | Float32Array>(
  dataset: Dataset<Y>,
  rows: ArrayLike<number>,
): Rows<Y> {
  const { features } = dataset;
  const x = new Float32Array(rows.length * features);
  const y = (
    dataset.y instanceof Int32Array ? new Int32Array(rows.length) : new Float32Array(rows.length)
  ) as Y;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? -1;
    const target = dataset.y[row];
    if (target === undefined) {
      throw new RangeError(`take: ${dataset.name} has rows 0 to ${dataset.rows - 1}, and no row ${row}`);
    }
    x.set(dataset.x.subarray(row * features, (row + 1) * features), i * features);
    y[i] = target;
  }
  return { x, y, rows: rows.length };
}
