import type { Classification } from "./dataset.js";
import { loadClassification } from "./load.js";

/**
 * Cell nuclei of breast masses: 569 rows of 30 measurements; 0 malignant, 1 benign; 455 train, 114 test.
 *
 * W. Wolberg, W. N. Street, O. Mangasarian, Breast Cancer Wisconsin (Diagnostic), UCI, 1995.
 */
export function breastCancer(): Classification {
  return loadClassification("breast_cancer");
}
