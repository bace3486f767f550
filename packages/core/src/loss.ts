import type { Tensor } from "./tensor.js";

/** How a loss over many elements becomes one number. */
export type Reduction = "mean" | "sum" | "none";

/** A training loss: how far `prediction` is from `target`. A function; a plugin needs nothing else. */
export type Loss<Options extends object = { readonly reduction?: Reduction }> = (
  prediction: Tensor,
  target: Tensor,
  options?: Options,
) => Tensor;

/** A number reported during training, such as accuracy: the mean over the batch. */
export type Metric = (prediction: Tensor, target: Tensor) => Tensor;
