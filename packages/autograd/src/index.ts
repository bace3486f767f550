export { type BackwardOptions, backward, variable } from "./backward.js";
export { type BackwardContext, type CustomGradOptions, customGrad } from "./custom-grad.js";
export { grad, valueAndGrad } from "./grad.js";
export { type GradcheckOptions, type GradcheckReport, gradcheck } from "./gradcheck.js";
export { hvp } from "./hvp.js";
export { jvp } from "./jvp.js";
export { stackTrees } from "./stack-trees.js";
export { vjp } from "./vjp.js";
export { type MapAxes, type VmapOptions, vmap } from "./vmap.js";
