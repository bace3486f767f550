export type { Key, Scalar, Tensor } from "@gradus/core";
export { type Compiled, type CompileOptions, compile } from "./compile/compile.js";
export { currentTrace } from "./compile/trace.js";
export { arange, eye, full, linspace, ones, tensor, zeros } from "./create.js";
export { defaultDevice, setDefaultDevice } from "./device.js";
export { concat, stack } from "./ops/concat.js";
export { key } from "./random/key.js";
export { type OpenScope, openScope, scope, scopeDepth } from "./scope.js";
export { where } from "./where.js";
