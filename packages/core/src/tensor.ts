import type { Backend } from "./backend.js";
import type { DType, TypedArray } from "./dtype.js";
import type { ScalarOp, ScalarOpName, scalarOps } from "./ir/scalar-ops.js";
import type { Key } from "./key.js";
import type { Op } from "./op.js";
import type { Scalar } from "./scalar.js";
import type { Shape } from "./shape.js";

/** What an elementwise method takes beside a tensor. A plain number does not widen the tensor's dtype. */
export type Operand = Tensor | Scalar | number | boolean;

/** The elementwise methods, one for each row of the scalar table. */
export type ElementwiseMethods = {
  readonly [Name in ScalarOpName]: (typeof scalarOps)[Name] extends ScalarOp<1>
    ? () => Tensor
    : (typeof scalarOps)[Name] extends ScalarOp<2>
      ? (other: Operand) => Tensor
      : (second: Operand, third: Operand) => Tensor;
};

/** Which axes an operation works along: one, several, or (undefined) all of them. Negative axes count from the end. */
export type Axes = number | readonly number[];

export interface ReduceOptions {
  /** Keep the reduced axes with size 1. Default false. */
  readonly keepdims?: boolean;
}

/** `[start, stop, step]` of one axis; `null` leaves the axis whole, `undefined` a bound at its end. As in NumPy. */
export type SliceRange =
  | readonly [start?: number | undefined, stop?: number | undefined, step?: number]
  | null;

/**
 * What `index` chooses: of one axis an element (a number, from the end if negative) or a range; `"newaxis"` puts an axis of
 * size 1 there, `"..."` stands for as many whole axes as are left. A tensor of whole numbers chooses elements, several of them
 * together; a bool tensor chooses where it is true, of as many axes as it has.
 */
export type IndexEntry = number | SliceRange | "..." | "newaxis" | Tensor;

/** Elements that were chosen along an axis, and their positions on it (i32). The gradient goes to these positions. */
export interface Selection {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/** One number for each of some axes, or one for all of them. */
export type PerAxis = number | readonly number[];

export interface ConvOptions {
  /** `[outputs]`, added to each output channel. */
  readonly bias?: Tensor;
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Zeros on both sides, default 0; "same" keeps the size (stride 1 only), "valid" is 0. */
  readonly padding?: PerAxis | "same" | "valid";
  /** The distance between the weight's elements. Default 1. */
  readonly dilation?: PerAxis;
  /** Into how many groups the channels are cut, each convolved for itself. Default 1. */
  readonly groups?: number;
}

export interface ConvTransposeOptions extends ConvOptions {
  readonly padding?: PerAxis;
  /** Added to the size at the end of each axis. Default 0. */
  readonly outputPadding?: PerAxis;
}

interface PoolOptions {
  /** Default: the window's size. */
  readonly stride?: PerAxis;
  /** On both sides, at most half of the window. Default 0. */
  readonly padding?: PerAxis;
  /** Keep a last window that reaches over the end. Default false. */
  readonly ceilMode?: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: PerAxis;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether the zeros of the padding count as elements. Default true. */
  readonly countIncludePad?: boolean;
  /** Divides every window's sum, however many elements it has. Default: their number. */
  readonly divisorOverride?: number;
}

/**
 * The sizes wanted, or multiples of those there are: `{ scale: 2.5 }` makes 7 elements of 3, rounding down, and takes the
 * positions from the scale, as PyTorch's `scale_factor` does, not from the rounded sizes.
 */
export type InterpolateSize = PerAxis | { readonly scale: PerAxis };

export interface InterpolateOptions {
  /**
   * Default "nearest". "linear" is linear along each axis (bilinear, trilinear), "cubic" PyTorch's bicubic, "area" means over
   * the windows of `adaptiveAvgPool`, "nearest-exact" what is nearest to the middle of a sample.
   */
  readonly mode?: "nearest" | "nearest-exact" | "linear" | "cubic" | "area";
  /** Whether the first and last samples are at the first and last elements (linear, cubic). Default false. */
  readonly alignCorners?: boolean;
}

/** Nested arrays of numbers, as `toArray` returns them. */
export type NestedArray = number | boolean | readonly NestedArray[];

/**
 * An immutable n-dimensional array on a device. Methods return new tensors and never change this one.
 *
 * This is an interface: packages that compute with tensors depend on it alone, and `@gradus/tensor` implements it.
 */
export interface Tensor extends ElementwiseMethods {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Number of axes. */
  readonly ndim: number;
  /** Number of elements. */
  readonly size: number;
  readonly device: Backend;
  /** What made this tensor: the way to new tensors for code that only knows this interface. */
  readonly engine: Engine;
  /**
   * Whether this stands for a value that cannot be looked at: one of a function being compiled, or one example of many
   * inside `vmap`. It has a shape and a dtype, but no elements of its own.
   */
  readonly traced: boolean;
  /** How this tensor was computed, while somebody differentiates; see {@link GradNode}. */
  readonly history: History | undefined;

  // Reductions. Without axes they reduce all of them.
  sum(axes?: Axes, options?: ReduceOptions): Tensor;
  /** The arithmetic mean; NaN of nothing. Integers become f32. */
  mean(axes?: Axes, options?: ReduceOptions): Tensor;
  prod(axes?: Axes, options?: ReduceOptions): Tensor;
  /** The greatest value; NaN if there is one. Its gradient is shared equally among ties (PyTorch's `amax`). */
  max(axes?: Axes, options?: ReduceOptions): Tensor;
  min(axes?: Axes, options?: ReduceOptions): Tensor;
  /** The position of the first greatest value along an axis, or in the flattened tensor; i32. */
  argmax(axis?: number, options?: ReduceOptions): Tensor;
  argmin(axis?: number, options?: ReduceOptions): Tensor;
  any(axes?: Axes, options?: ReduceOptions): Tensor;
  all(axes?: Axes, options?: ReduceOptions): Tensor;
  /** The variance `sum (x - mean)^2 / (n - correction)`; `correction` is 1 by default, as in PyTorch. */
  var(axes?: Axes, options?: ReduceOptions & { readonly correction?: number }): Tensor;
  std(axes?: Axes, options?: ReduceOptions & { readonly correction?: number }): Tensor;
  /** The p-norm `(sum |x|^p)^(1/p)`, p = 2 by default; Infinity, -Infinity and 0 as in PyTorch. */
  norm(axes?: Axes, options?: ReduceOptions & { readonly p?: number }): Tensor;
  /** `log(sum(exp(x)))` without overflow. */
  logsumexp(axes?: Axes, options?: ReduceOptions): Tensor;

  // Running totals: of each element and those before it.
  cumsum(axis: number): Tensor;
  cumprod(axis: number): Tensor;
  /** `log(cumsum(exp(x)))` without overflow. */
  logcumsumexp(axis: number): Tensor;
  /** The greatest value so far; of equal ones the last, as in PyTorch. After a NaN all are NaN. */
  cummax(axis: number): Selection;
  cummin(axis: number): Selection;

  // Order along an axis, the last one by default. NaN counts as the greatest value; equal values keep their order.
  sort(axis?: number, options?: { readonly descending?: boolean }): Selection;
  /** The positions (i32) that sort the axis. */
  argsort(axis?: number, options?: { readonly descending?: boolean }): Tensor;
  /** The `k` greatest values, the greatest first; with `largest: false` the least. */
  topk(k: number, axis?: number, options?: { readonly largest?: boolean }): Selection;
  /** The `k`-th least value, counted from 1. */
  kthvalue(k: number, axis?: number, options?: ReduceOptions): Selection;
  /** The middle value, the lower of two; NaN if there is one. Without an axis, of all elements. */
  median(axis?: number, options?: ReduceOptions): Selection;

  softmax(axis: number): Tensor;
  logSoftmax(axis: number): Tensor;

  /** The matrix product over the last two axes, the others broadcast, vectors as in NumPy. */
  matmul(other: Tensor): Tensor;

  // Convolutions and pooling, of `[batch, channels, ...]`, over the last axes.
  /**
   * The cross-correlation with a weight `[outputs, channels / groups, ...sizes]`: PyTorch's `conv1d`, `conv2d`, `conv3d`,
   * as many axes as `sizes`. The batch axis may be missing.
   */
  conv(weight: Tensor, options?: ConvOptions): Tensor;
  /** The transpose of {@link conv} in its input, with a weight `[channels, outputs / groups, ...sizes]`. */
  convTranspose(weight: Tensor, options?: ConvTransposeOptions): Tensor;
  /**
   * The greatest element of each window, of equal ones the first. The indices are row-major positions over the axes that
   * the window slides over: as many as `size` names, or all but the first two.
   */
  maxPool(size: PerAxis, options?: MaxPoolOptions): Selection;
  avgPool(size: PerAxis, options?: AvgPoolOptions): Tensor;
  /** Means over as many windows as wanted, as even as they can be. */
  adaptiveAvgPool(size: PerAxis): Tensor;
  /** Sampled at another size, or at a multiple of it, as PyTorch's `interpolate`. */
  interpolate(size: InterpolateSize, options?: InterpolateOptions): Tensor;

  // Views: no element is copied where strides can express the result.
  /** The same elements in another shape; one size may be -1. */
  reshape(shape: Shape): Tensor;
  /** Swaps two axes (the last two by default). */
  transpose(axis0?: number, axis1?: number): Tensor;
  permute(axes: readonly number[]): Tensor;
  /** Drops axes of size 1: all of them, or those named (which must have size 1). */
  squeeze(axes?: Axes): Tensor;
  /** Inserts an axis of size 1 so that it is at `axis` of the result. */
  unsqueeze(axis: number): Tensor;
  /** Broadcasts to `shape`; -1 keeps a size. */
  expand(shape: Shape): Tensor;
  /** A range of each leading axis: `x.slice([0, 2], null, [undefined, undefined, -1])`. */
  slice(...ranges: SliceRange[]): Tensor;
  /**
   * Elements chosen axis by axis, as `x[...]` does in NumPy and PyTorch: `x.index(0, [1, 3], "newaxis", rows)`. Numbers and
   * ranges are views. A mask is looked at, so it cannot be traced: use `mask.where(x, value)` there. The set variant is
   * `indexPut` of `@gradus/tensor`.
   */
  index(...entries: IndexEntry[]): Tensor;
  flip(axes?: Axes): Tensor;
  /** Joins the axes `start` to `end` (all by default) into one. */
  flatten(start?: number, end?: number): Tensor;

  /** Adds `[before, after]` elements of `value` (0) around each axis; NumPy's argument form. */
  pad(widths: readonly (readonly [before: number, after: number])[], value?: number): Tensor;
  /** `out[i][j] = x[index[i][j]][j]` for axis 0, and so on; PyTorch's `gather`. */
  gather(axis: number, index: Tensor): Tensor;
  /** The rows of an axis that a vector of positions names, in that order; PyTorch's `index_select`. */
  indexSelect(axis: number, index: Tensor): Tensor;
  /** `x` with `source` added at the positions that `index` names along `axis`; PyTorch's `scatter_add`. */
  scatterAdd(axis: number, index: Tensor, source: Tensor): Tensor;
  /** Class indices as rows with a one at the class: shape `[..., classes]`, i32. */
  oneHot(classes: number): Tensor;

  /** The values as another dtype; see `castNumber` for what happens to fractions and overflow. */
  cast(dtype: DType): Tensor;
  zerosLike(): Tensor;
  onesLike(): Tensor;
  /** The same values without history: nothing is differentiated through it. */
  detach(): Tensor;

  /** A copy on another device. */
  to(device: Backend): Promise<Tensor>;
  /** The elements, row-major, as a typed array of the host. Works on every device. */
  read(): Promise<TypedArray>;
  /** {@link read} without waiting. Throws `no-sync-read` on a device that cannot. */
  data(): TypedArray;
  /** The one element as a number (0 or 1 for bool). Throws `not-scalar` if there are more. */
  item(): number;
  /** Nested arrays of the elements. */
  toArray(): NestedArray;

  /** Gives the memory back now. Using the tensor afterwards throws `disposed`. Calling it twice does nothing. */
  dispose(): void;
  [Symbol.dispose](): void;
}

const TENSOR = Symbol.for("gradus.tensor");

/** Marks a class as an implementation of {@link Tensor}: set `[tensorSymbol] = true` on it. */
export const tensorSymbol: typeof TENSOR = TENSOR;

/** Whether `x` is a tensor, of any copy of any implementation. */
export function isTensor(x: unknown): x is Tensor {
  return typeof x === "object" && x !== null && TENSOR in x;
}

/**
 * One differentiation in progress. While `open`, operations on tensors that depend on what it watches leave a
 * {@link GradNode}; when it is closed they do not, so that nothing is recorded that nobody will ask for.
 */
export interface Level {
  open: boolean;
  /** Whether an operation was recorded for it. */
  used: boolean;
  /** How many `vmap`s were running when it began, and how many levels had begun before; noted by the engine. */
  depth?: number;
  order?: number;
}

/** That a tensor is output `output` of `node`, and which differentiations in progress it matters to. */
export interface History {
  readonly node: GradNode;
  readonly output: number;
  readonly levels: readonly Level[];
}

/** One recorded operation. Nodes point to their inputs, so an unused graph is ordinary garbage. */
export interface GradNode {
  /** Ascending in the order of execution: a node's inputs have smaller ids. */
  readonly id: number;
  readonly name: string;
  readonly inputs: readonly Tensor[];
  /** What it computed. */
  readonly values: readonly Tensor[];
  /** Tensors beside these that `vjp` reads. */
  readonly keeps?: readonly Tensor[];
  /**
   * The inputs' cotangents, given those of the outputs (undefined: zero). `needs[i]` tells whether input i's is wanted.
   * Computed with ordinary operations, so gradients can be differentiated again.
   */
  vjp(
    cotangents: readonly (Tensor | undefined)[],
    needs: readonly boolean[],
  ): readonly (Tensor | undefined)[];
}

/** What a tensor implementation offers to code that knows only its interface; reached as `tensor.engine`. */
export interface Engine {
  /** Runs an operation, or appends it to the trace. */
  apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A): readonly Tensor[];
  /**
   * `values` as outputs of a node of the caller's making: how a custom gradient enters the graph. `keeps` are tensors that
   * `vjp` reads beside inputs and values.
   */
  record(
    name: string,
    inputs: readonly Tensor[],
    values: readonly Tensor[],
    vjp: GradNode["vjp"],
    keeps?: readonly Tensor[],
  ): readonly Tensor[];
  /** `x` as a new leaf that `level` differentiates by. */
  watch(x: Tensor, level: Level): Tensor;
  /** `x` without the history of differentiations that are over: how a transform returns a result. */
  settled(x: Tensor): Tensor;
  /**
   * Runs `f` without remembering anything for the differentiations in progress; those that begin within are not concerned.
   * `captured` are the tensors, made before, that it computed with and that these depend on.
   */
  unrecorded<T>(f: () => T): { readonly result: T; readonly captured: readonly Tensor[] };
  /**
   * Runs `f` again, with `tensors` themselves as leaves that `level` differentiates by: for code that has them in its
   * closure. A compiled function does compute it again, and does not use what was computed before.
   */
  replayed<T>(tensors: readonly Tensor[], level: Level, f: () => T): T;
  /**
   * Runs `f` once on stand-ins for one example each of tensors whose axis 0 is a batch of `size`; every operation on them
   * computes all examples at once. The results have that axis in front, or are the same for all examples.
   */
  batched(
    size: number,
    inputs: readonly Tensor[],
    f: (examples: readonly Tensor[]) => readonly Tensor[],
  ): readonly { readonly value: Tensor; readonly isBatched: boolean }[];
  /** Runs `f` and frees every tensor that it made, except those in its result. */
  scope<T>(f: () => T): T;
  /** A scope for code that waits in between. */
  openScope(): OpenScope;
  full(shape: Shape, value: number | Scalar, options?: CreateOptions): Tensor;
  arange(start: number, stop: number, step?: number, options?: CreateOptions): Tensor;
  tensor(values: NestedArray | TypedArray, options?: CreateOptions & { readonly shape?: Shape }): Tensor;
  concat(tensors: readonly Tensor[], axis?: number): Tensor;
  /** The random key of a seed. */
  key(seed: number, options?: { readonly device?: Backend }): Key;
}

/** A scope for async code: what it tracks lives until `dispose`. */
export interface OpenScope {
  /** Puts the tensors of a tree into the scope and returns the tree. */
  track<T>(tree: T): T;
  /** Runs synchronous code whose tensors all belong to the scope. */
  run<T>(f: () => T): T;
  /** Takes the tensors of a tree out of the scope: they survive it. */
  keep<T>(tree: T): T;
  /** Disposes what the scope holds; of it, the tensors of `except` stay, and stay in the scope. */
  dispose(except?: unknown): void;
  [Symbol.dispose](): void;
}

export interface CreateOptions {
  readonly dtype?: DType;
  readonly device?: Backend;
}
