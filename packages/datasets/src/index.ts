export { breastCancer } from "./breast-cancer.js";
export { readDataFile } from "./data-file.js";
export type { Classification, Dataset, Regression } from "./dataset.js";
export { diabetes } from "./diabetes.js";
export { digits } from "./digits.js";
export { iris } from "./iris.js";
export { type Rows, take } from "./take.js";
export { wine } from "./wine.js";
