import { type NumericTable, parseNumericCsv } from "./csv.js";
import { readDataText } from "./data-file.js";
import type { Classification, Regression } from "./dataset.js";

interface Split {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** Loads `data/<name>.csv`, whose last column holds the classes 0, 1, ... */
export function loadClassification(name: string): Classification {
  const table = readTable(name);
  const y = Int32Array.from(column(table, table.header.length - 1));
  return { ...featuresOf(table), ...splitOf(name), name, y, classes: Math.max(...y) + 1 };
}

/** Loads `data/<name>.csv`, whose last column holds a quantity. */
export function loadRegression(name: string): Regression {
  const table = readTable(name);
  const y = Float32Array.from(column(table, table.header.length - 1));
  return { ...featuresOf(table), ...splitOf(name), name, y };
}

function readTable(name: string): NumericTable {
  return parseNumericCsv(readDataText(`${name}.csv`), `${name}.csv`);
}

function featuresOf({ header, values, rows }: NumericTable) {
  const columns = header.length;
  const features = columns - 1;
  const x = new Float32Array(rows * features);
  for (let row = 0; row < rows; row++) {
    x.set(values.subarray(row * columns, row * columns + features), row * features);
  }
  return { x, rows, features, featureNames: header.slice(0, features) };
}

function column({ header, values, rows }: NumericTable, index: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => values[row * header.length + index] ?? Number.NaN);
}

function splitOf(name: string) {
  const splits = JSON.parse(readDataText("splits.json")) as Record<string, Split | undefined>;
  const split = splits[name];
  if (split === undefined) throw new Error(`splits.json: no split for ${name}`);
  return { train: Int32Array.from(split.train), test: Int32Array.from(split.test) };
}
