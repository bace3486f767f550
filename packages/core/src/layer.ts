import type { Key } from "./key.js";
import type { Tensor } from "./tensor.js";

/** One use of a weight: the output is the input's rows times the weight (and plus the bias), row by row. */
export interface WeightUse {
  readonly weight: Tensor;
  readonly bias?: Tensor | undefined;
  /** Whether the weight, its window's axes joined with its inputs, is [in, out] or [out, in]. */
  readonly layout: "in-out" | "out-in";
  readonly output: Tensor;
  /** The input as [rows, in]; for a convolution, the patches of the weight's shape. */
  inputRows(): Tensor;
  /** A tensor of the output's shape as [rows, out]. */
  outputRows(of: Tensor): Tensor;
}

/** What a layer is told beside its input. */
export interface LayerContext {
  /** Whether this is training: dropout drops, batch norm uses the batch's statistics and updates its own. */
  readonly train: boolean;
  /** Randomness of this call; needed in training by layers that draw numbers. */
  readonly key?: Key | undefined;
  /**
   * Told of each use of a weight in a matrix product or convolution; what it returns is the output from there on. For
   * methods that look at what goes in and comes back, such as K-FAC.
   */
  readonly tap?: ((use: WeightUse) => Tensor) | undefined;
}

/**
 * A pure layer: parameters `P` and state `S` (running statistics, which are not trained) are trees outside of it.
 *
 * `X` and `Y` are what goes in and out: a tensor, or a tree of them.
 */
export interface Layer<P = unknown, S = unknown, X = Tensor, Y = Tensor> {
  /** For summaries and messages: `linear(64, 32)`. */
  readonly name: string;
  init(key: Key): { readonly params: P; readonly state: S };
  /** The output and the next state (the same one if nothing changed). */
  apply(params: P, state: S, x: X, context: LayerContext): readonly [Y, S];
}
