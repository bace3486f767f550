/*
 * Everything in one import. Tensors and gradients are at the top; layers, losses, optimizers and training have names in
 * common with them, so each is a namespace.
 */
import * as losses from "@gradus/losses";
import * as nn from "@gradus/nn";
import * as optimizers from "@gradus/optimizers";
import * as train from "@gradus/train";

export * from "@gradus/autograd";
export { type CpuOptions, cpu } from "@gradus/backend-cpu";
export { type GpuDevice, type GpuOptions, gpu, type KernelProfile } from "@gradus/backend-gpu";
export type { Backend, DType, Key, Scalar, Shape, Tensor } from "@gradus/core";
export { type ErrorCode, GradusError, interpreter, isGradusError, scalar } from "@gradus/core";
export * from "@gradus/tensor";
export { type DeviceName, type DeviceOptions, device } from "./device.js";
export { type MakeDevice, pick } from "./pick.js";
export { losses, nn, optimizers, train };
