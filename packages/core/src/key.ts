import type { Scalar } from "./scalar.js";
import type { Shape } from "./shape.js";
import type { CreateOptions, Tensor } from "./tensor.js";
import type { TreeNode } from "./tree.js";

/**
 * A random key: an immutable value from which random numbers are computed. The same key gives the same numbers, on
 * every backend and in any order; for other numbers, derive another key.
 *
 * A key is a tree of one tensor (two 32-bit words), so it may be an argument of a compiled function.
 */
export interface Key extends TreeNode {
  /** The two words, i32[2]. */
  readonly words: Tensor;
  /** `count` independent keys. */
  split(count: number): Key[];
  /** An independent key for each whole number: a step (a Scalar inside `compile`), a layer, a batch. */
  foldIn(data: number | Scalar): Key;
  /** Uniform in `[low, high)`, default [0, 1); f32 in steps of 2^-24 of the range. */
  uniform(shape: Shape, options?: CreateOptions & { readonly low?: number; readonly high?: number }): Tensor;
  /** Normal with `mean` 0 and standard deviation `std` 1. */
  normal(shape: Shape, options?: CreateOptions & { readonly mean?: number; readonly std?: number }): Tensor;
  /** True with probability `p`; bool. */
  bernoulli(p: number, shape: Shape): Tensor;
  /** The numbers 0 to n - 1 in random order; i32. */
  permutation(n: number): Tensor;
  /** Draws an index along the last axis, with probabilities softmax(logits); i32, the shape without that axis. */
  categorical(logits: Tensor): Tensor;
  /** A tensor of zeros on the key's device: what initialisers need beside random numbers. */
  zeros(shape: Shape, options?: CreateOptions): Tensor;
  ones(shape: Shape, options?: CreateOptions): Tensor;
}
