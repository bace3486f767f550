import { type NumericTable, parseNumericCsv } from "./csv.js";
import type { Classification } from "./dataset.js";

interface Split {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** The texts that a data set is made of. */
export interface DatasetTexts {
  /** A table whose last column is the target. */
  readonly csv: string;
  /** `splits.json`. */
  readonly splits: string;
}

/** A data set whose last column holds the classes 0, 1, ... */
export function classification(name: string, { csv, splits }: DatasetTexts): Classification {
  const table = parseNumericCsv(csv, `${name}.csv`);
  const y = Int32Array.from(lastColumn(table));
  return { ...featuresOf(table), ...splitOf(name, splits), name, y, classes: Math.max(...y) + 1 };
}

/** All columns but the last. */
export function featuresOf({ header, values, rows }: NumericTable) {
  const columns = header.length;
  const features = columns - 1;
  const x = new Float32Array(rows * features);
  for (let row = 0; row < rows; row++) {
    x.set(values.subarray(row * columns, row * columns + features), row * features);
  }
  return { x, rows, features, featureNames: header.slice(0, features) };
}

export function lastColumn({ header, values, rows }: NumericTable): Float64Array {
  const columns = header.length;
  return Float64Array.from({ length: rows }, (_, row) => values[(row + 1) * columns - 1] ?? Number.NaN);
}

/** The rows of a data set's parts, by `splits.json`. */
export function splitOf(name: string, splits: string) {
  const split = (JSON.parse(splits) as Record<string, Split | undefined>)[name];
  if (split === undefined) throw new Error(`splits.json: no split for ${name}`);
  return { train: Int32Array.from(split.train), test: Int32Array.from(split.test) };
}
