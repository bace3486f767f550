import type { DType } from "./dtype.js";
import type { Expr } from "./ir/expr.js";
import type { Check, ContractKernel, NativeKernel, Stage } from "./ir/kernel.js";
import type { Aval, Layout } from "./layout.js";
import type { Scalar } from "./scalar.js";
import type { Tensor } from "./tensor.js";

/**
 * A structural operation: what shape it gives, which kernel computes it, and its gradient. One file each. (Elementwise
 * operations are rows of the scalar table instead.)
 */
export interface Op<A = unknown> {
  readonly name: string;
  /** What the user called, for messages, where one operation serves several methods. */
  label?(attrs: A): string;
  /** Shapes and dtypes of the results. Throws at once on bad input: this runs at the call, also while tracing. */
  infer(inputs: readonly Aval[], attrs: A): readonly Aval[];
  /** How to compute it on inputs that lie like this. */
  lower(inputs: readonly Layout[], attrs: A, outputs: readonly Aval[]): Lowered;
  /** The inputs' cotangents, written with ordinary tensor methods. Absent: not differentiable. */
  vjp?(context: VjpContext<A>): readonly (Tensor | undefined)[];
  /**
   * For `vmap`: inputs and attributes with which the operation itself computes all examples, its outputs with the batch
   * axis in front. Natives need it (without, they run once for each example); every other lowering is given its batch
   * axis without being asked.
   */
  batch?(context: BatchContext<A>): { readonly inputs: readonly Tensor[]; readonly attrs: A };
}

export interface BatchContext<A> {
  /** Those that are `batched` have the batch axis in front, the others are the same for all examples. */
  readonly inputs: readonly Tensor[];
  readonly batched: readonly boolean[];
  /** How many examples. */
  readonly size: number;
  /** As for one example. */
  readonly attrs: A;
}

export interface VjpContext<A> {
  /** The outputs' cotangents; undefined where zero. */
  readonly cotangents: readonly (Tensor | undefined)[];
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attrs: A;
  /** Which inputs' cotangents are wanted; the others may be left undefined. */
  readonly needs: readonly boolean[];
}

/**
 * How an operation is computed, in terms of coordinates: which element depends on which. How operands lie in memory is
 * not its business: one place turns a lowering and the operands' layouts into a kernel, so that neighbouring lowerings
 * can be joined before.
 */
export type Lowered = ViewLowering | LoopLowering | ContractLowering | NativeLowering;

/** The result is the first input, seen through other strides. */
export interface ViewLowering {
  readonly kind: "view";
  readonly layout: Layout;
}

interface ComputedLowering<Body> {
  /**
   * Names the body among all bodies, whatever the sizes and layouts: equal keys mean equal bodies, so that `body` runs
   * once per key. It holds dtypes, ranks and whatever else shapes the body.
   */
  readonly key: string;
  readonly body: () => Body;
  /** Sizes of the loop axes. */
  readonly sizes: readonly number[];
  /** Run-time numbers, the body's `param`s; a Scalar is resolved on every call of a compiled function. */
  readonly params: readonly (number | Scalar)[];
}

/** A loop kernel to be; see `LoopKernel` for what the parts mean. Operands are read as `input` expressions. */
export interface LoopLowering extends ComputedLowering<LoopBody> {
  readonly kind: "loops";
}

export interface LoopBody {
  readonly name: string;
  /** Dtypes of the params. */
  readonly params: readonly DType[];
  /** How many of the axes are the grid. */
  readonly grid: number;
  readonly stages: readonly Stage[];
  /** One write an output. */
  readonly writes: readonly LoweredWrite[];
  readonly checks?: readonly Check[];
}

export interface LoweredWrite {
  readonly over: readonly number[];
  readonly value: Expr;
  /** The element's coordinates in the output; by default the grid's axes, then those in `over`. */
  readonly at?: readonly Expr[];
  /** Instead of coordinates: the row-major position in the output. */
  readonly flat?: Expr;
}

/** A generalised matrix product to be; see `ContractKernel`. Axes are batch, m, n, k. */
export interface ContractLowering extends ComputedLowering<ContractBody> {
  readonly kind: "contract";
}

export interface ContractBody {
  readonly name: string;
  readonly params: readonly DType[];
  readonly groups: ContractKernel["groups"];
  readonly a: Expr;
  readonly b: Expr;
  readonly accumulate: DType;
  /** One an output; coordinates are batch, m and n by default. `stage(0)` is the sum. */
  readonly writes: readonly Omit<LoweredWrite, "over">[];
}

/** A native on dense buffers: inputs that lie otherwise are copied first. */
export interface NativeLowering {
  readonly kind: "native";
  readonly key: string;
  readonly kernel: () => NativeKernel;
  readonly sizes: readonly number[];
}
