import type { Classification } from "./dataset.js";
import { loadClassification } from "./load.js";

/**
 * Iris flowers: 150 rows of 4 lengths in cm; 0 setosa, 1 versicolor, 2 virginica; 120 train, 30 test.
 *
 * R. A. Fisher, The use of multiple measurements in taxonomic problems, 1936.
 */
export function iris(): Classification {
  return loadClassification("iris");
}
