import { classification, featuresOf, lastColumn, splitOf } from "./classification.js";
import { parseNumericCsv } from "./csv.js";
import { readDataText } from "./data-file.js";
import type { Classification, Regression } from "./dataset.js";

/** Loads `data/<name>.csv`, whose last column holds the classes 0, 1, ... */
export function loadClassification(name: string): Classification {
  return classification(name, { csv: readDataText(`${name}.csv`), splits: readDataText("splits.json") });
}

/** Loads `data/<name>.csv`, whose last column holds a quantity. */
export function loadRegression(name: string): Regression {
  const table = parseNumericCsv(readDataText(`${name}.csv`), `${name}.csv`);
  const y = Float32Array.from(lastColumn(table));
  return { ...featuresOf(table), ...splitOf(name, readDataText("splits.json")), name, y };
}
