export { type AdanOptions, adan } from "./adan.js";
export { type CurvatureDescentOptions, curvatureDescent } from "./curvature-descent.js";
