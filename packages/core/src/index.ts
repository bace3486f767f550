export * from "./autocast.js";
export * from "./backend.js";
export { checkAliases, checkLaunch } from "./check-launch.js";
export * from "./dtype.js";
export * from "./errors.js";
export { halfBits, halfValue } from "./half.js";
export * from "./interpreter/interpreter.js";
export { runNative } from "./interpreter/natives/index.js";
export { launchError, type NativeCall } from "./interpreter/natives/native.js";
export { nativeLengths } from "./interpreter/natives/native-lengths.js";
export { type AffineIndex, affineIn, dependsOnAxis } from "./ir/affine.js";
export * as calculus from "./ir/calculus.js";
export { checkDTypes } from "./ir/check-dtypes.js";
export { axesOfContract, type ContractAxes } from "./ir/contract-axes.js";
export { gradientExprs } from "./ir/derive.js";
export * from "./ir/expr.js";
export type {
  Check,
  ContractKernel,
  Cumulation,
  HostFunction,
  Kernel,
  LoopKernel,
  NativeKernel,
  NativeName,
  Output,
  Reduction as StageReduction,
  Scattering,
  Stage,
} from "./ir/kernel.js";
export { mayOverwrite, sameExpr } from "./ir/may-overwrite.js";
export * from "./ir/scalar-ops.js";
export { validateKernel } from "./ir/validate.js";
export * from "./key.js";
export * from "./layer.js";
export * from "./layout.js";
export { hostCholesky } from "./linalg/cholesky.js";
export { hostCofactor, hostDet, hostSlogdet } from "./linalg/determinant.js";
export { hostEigh } from "./linalg/eigh.js";
export { hostQr } from "./linalg/qr.js";
export { hostSolve } from "./linalg/solve.js";
export { hostSvd } from "./linalg/svd.js";
export { hostTriangularSolve } from "./linalg/triangular-solve.js";
export * from "./loss.js";
export * from "./observe.js";
export * from "./op.js";
export * from "./optimizer.js";
export * from "./scalar.js";
export * from "./shape.js";
export * from "./tensor.js";
export * from "./tree.js";
