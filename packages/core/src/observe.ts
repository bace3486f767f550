import type { Op } from "./op.js";
import type { GradNode, Tensor } from "./tensor.js";

/** One operation that ran (or was traced). */
export interface OpEvent {
  /** What the user called: `matmul`, `tanh gradient`. */
  readonly name: string;
  /** Absent for a node of the caller's making, such as a custom gradient. */
  readonly op?: Op<never>;
  readonly attrs?: unknown;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Whether it only looks at its input in another way. */
  isView(): boolean;
  /** Floating-point operations, as `explain()` counts them. */
  flops(): number;
  /** Inside `vmap`, all examples of a tensor that stands for one; else the tensor itself. */
  examples(x: Tensor): Tensor;
  /** The node whose gradient is being computed; undefined in a forward pass. */
  readonly gradientOf?: GradNode;
}

/** Is told what is computed while {@link observing} runs; what it computes itself is not told. */
export interface Observer {
  operation?(event: OpEvent): void;
  /** `alias` is `source` under another name: detached, or watched by a differentiation. */
  alias?(source: Tensor, alias: Tensor): void;
}

let current: Observer | undefined;
let backwardOf: GradNode | undefined;

/**
 * Runs `f` and tells `observer` of all operations, in order. Compiled functions run operation by operation meanwhile. Tools
 * that look inside are built on it; nothing that computes depends on it.
 */
export function observing<T>(observer: Observer, f: () => T): T {
  const outer = current;
  current = observer;
  try {
    return f();
  } finally {
    current = outer;
  }
}

/** Who observes, if anybody does. For implementations of tensors. */
export function currentObserver(): Observer | undefined {
  return current;
}

/** Runs `f`, which computes the gradient of `node`. */
export function differentiatingNode<T>(node: GradNode, f: () => T): T {
  const outer = backwardOf;
  backwardOf = node;
  try {
    return f();
  } finally {
    backwardOf = outer;
  }
}

/** The node whose gradient is being computed. */
export function differentiatedNode(): GradNode | undefined {
  return backwardOf;
}
