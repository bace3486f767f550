import type { Regression } from "./dataset.js";
import { loadRegression } from "./load.js";

/**
 * Diabetes patients: 442 rows of 10 measurements in raw units; the target is the disease's progression after a
 * year, 25 to 346; 353 train, 89 test.
 *
 * B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least Angle Regression, 2004.
 */
export function diabetes(): Regression {
  return loadRegression("diabetes");
}
