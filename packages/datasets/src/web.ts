export type { Classification, Dataset } from "./dataset.js";
export { fetchDigits } from "./fetch-digits.js";
export { type Rows, take } from "./take.js";
