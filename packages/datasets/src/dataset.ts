/**
 * A small table with a fixed split.
 *
 * `Y` is `Int32Array` for classes 0, 1, ..., and `Float32Array` for a quantity to be regressed.
 */
export interface Dataset<Y extends Int32Array | Float32Array = Int32Array | Float32Array> {
  readonly name: string;
  /** The features as they were measured, `[rows, features]` row-major. */
  readonly x: Float32Array;
  /** The target of each row, `[rows]`. */
  readonly y: Y;
  readonly rows: number;
  readonly features: number;
  /** One name for each column of `x`. */
  readonly featureNames: readonly string[];
  /** The number of classes; absent where the target is a quantity. */
  readonly classes?: number;
  /** 0-based rows of the training part. Together with `test` it covers every row once. */
  readonly train: Int32Array;
  /** 0-based rows of the test part. */
  readonly test: Int32Array;
}

/** A data set whose targets are the classes `0` to `classes - 1`. */
export interface Classification extends Dataset<Int32Array> {
  readonly classes: number;
}

/** A data set whose targets are a quantity. */
export type Regression = Dataset<Float32Array>;
