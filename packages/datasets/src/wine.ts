import type { Classification } from "./dataset.js";
import { loadClassification } from "./load.js";

/**
 * Chemical analysis of wines: 178 rows of 13 measurements; 3 cultivars; 142 train, 36 test.
 *
 * M. Forina et al., Wine recognition data, UCI.
 */
export function wine(): Classification {
  return loadClassification("wine");
}
