import type { Classification } from "./dataset.js";
import { loadClassification } from "./load.js";

/**
 * Handwritten digits: 1797 images of 8 x 8 pixels, each 0 to 16, row by row; 10 classes; 1437 train, 360 test.
 *
 * E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (test part), UCI, 1998.
 *
 * @example
 * ```ts
 * import { digits } from "@gradus/datasets";
 *
 * const { rows, features, classes } = digits();
 * console.log(rows, features, classes); // → 1797 64 10
 * ```
 */
export function digits(): Classification {
  return loadClassification("digits");
}
