import type { Key } from "./key.js";
import type { Tensor } from "./tensor.js";

/** What a layer is told beside its input. */
export interface LayerContext {
  /** Whether this is training: dropout drops, batch norm uses the batch's statistics and updates its own. */
  readonly train: boolean;
  /** Randomness of this call; needed in training by layers that draw numbers. */
  readonly key?: Key | undefined;
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
