import type { Tensor } from "@gradus/core";
import type { Options } from "../options.js";

/**
 * What a PyTorch op is in terms of this library: from its positional tensors and keyword arguments to its outputs.
 * Where tensors are optional, they are found by name.
 */
export type Op = (
  x: readonly Tensor[],
  options: Options,
  named: Readonly<Record<string, Tensor>>,
) => Tensor | readonly Tensor[];

/** An op whose result's shape depends on values, for devices that must be waited for. */
export type WaitingOp = (...args: Parameters<Op>) => Promise<Tensor | readonly Tensor[]>;

export type OpTable = Readonly<Record<string, Op>>;

/** Op of one tensor. */
export function unary(f: (x: Tensor) => Tensor): Op {
  return ([x]) => f(x as Tensor);
}

/** Op of one tensor and options. */
export function unaryWith(f: (x: Tensor, options: Options) => Tensor | readonly Tensor[]): Op {
  return ([x], options) => f(x as Tensor, options);
}

/** Op of two tensors. */
export function binary(f: (a: Tensor, b: Tensor) => Tensor): Op {
  return ([a, b]) => f(a as Tensor, b as Tensor);
}
