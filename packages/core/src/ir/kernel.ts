import type { DType, TypedArray } from "../dtype.js";
import type { Expr } from "./expr.js";

/** How a stage combines the values along the axes that it reduces. */
export type Reduction = "sum" | "prod" | "max" | "min" | "argmax" | "argmin";

/**
 * A reduction at each grid point.
 *
 * `max` and `min` give NaN if any value is NaN. `argmax` and `argmin` give the position of the first extreme value
 * (the first NaN, if there is one), counted row-major along `over`, as i32. With nothing to combine the result is the
 * identity: 0, 1, -Infinity (the least i32, false), +Infinity (the greatest i32, true), position 0. No axes in `over` are one
 * point, not none.
 */
export interface Stage {
  /** Inner axes that are reduced, in order. */
  readonly over: readonly number[];
  readonly op: Reduction;
  readonly value: Expr;
  readonly dtype: DType;
}

/** What a loop kernel writes: `buffer[index] = value` at each grid point and each point of the axes in `over`. */
export interface Output {
  readonly over: readonly number[];
  /** Which of the kernel's output buffers. */
  readonly buffer: number;
  readonly index: Expr;
  readonly value: Expr;
}

/** A condition that must hold at each grid point and each point of `over`; else the launch fails with `message`. */
export interface Check {
  readonly over: readonly number[];
  readonly holds: Expr;
  readonly message: string;
}

interface KernelBase {
  /** For profiles and messages: what it computes, in words such as "softmax". */
  readonly name: string;
  /** Dtypes of the buffers read and written; a launch passes the inputs first, then the outputs. */
  readonly inputs: readonly DType[];
  readonly outputs: readonly DType[];
  /** Dtypes of the launch's run-time numbers. */
  readonly params: readonly DType[];
  /** For each output, the input whose buffer it overwrites, if it is one; see `mayOverwrite`. */
  readonly aliases?: readonly (number | undefined)[];
}

/**
 * Rules for all kernels. A load without a guard is always within its buffer: whoever makes the kernel sees to it, and a
 * backend need not check. Different grid points write different elements. At one point, writes with the same `over` take
 * effect together: all values are computed before any is stored. The order in which a reduction adds up depends on the
 * kernel and the sizes alone.
 */

/**
 * Loops over `axes` axes, whose sizes come with the launch. The first `grid` of them are the grid: its points are
 * independent and may run in any order or at once. The others are inner axes: at each grid point the stages run one
 * after another, each reducing some inner axes to a number, then the outputs are written, each looping over some inner
 * axes of its own.
 *
 * Elementwise: no stages, no inner axes. Softmax: grid = rows; stages max, then sum of exp; one output over columns.
 */
export interface LoopKernel extends KernelBase {
  readonly kind: "loop";
  readonly axes: number;
  readonly grid: number;
  readonly stages: readonly Stage[];
  readonly writes: readonly Output[];
  readonly checks?: readonly Check[];
}

/**
 * A generalised matrix product: `sum over k of a * b`, then what is written of it. The axes are, in order, `batch`, `m`,
 * `n` and `k` axes (each a group of any number of axes): `a` may use batch, m and k axes, `b` batch, k and n, the writes
 * batch, m and n. The index expressions of the loads are what makes it a transposed product or a convolution; `a` and `b`
 * may also compute (a cast, a mask), while the operand is packed.
 *
 * In the writes, `stage(0)` is the sum, of dtype `accumulate`.
 */
export interface ContractKernel extends KernelBase {
  readonly kind: "contract";
  readonly groups: { readonly batch: number; readonly m: number; readonly n: number; readonly k: number };
  readonly a: Expr;
  readonly b: Expr;
  readonly accumulate: DType;
  readonly writes: readonly Omit<Output, "over">[];
}

/**
 * An operation that loops cannot express: a closed list, each with its reference in the interpreter. Buffers are dense;
 * the launch's sizes are the native's own, as its reference documents.
 */
export interface NativeKernel extends KernelBase {
  readonly kind: "native";
  readonly native: NativeName;
  readonly attrs: Readonly<Record<string, number | string | boolean>>;
  /** What a `host` native computes; no other one has it. */
  readonly host?: HostFunction;
}

/**
 * A `host` native's work: reads the inputs' elements, writes the outputs', given the launch's sizes. Returns what is wrong
 * with the inputs, if anything: the launch then fails with it.
 */
export type HostFunction = (buffers: readonly TypedArray[], sizes: readonly number[]) => string | undefined;

/**
 * - `scatterAdd`: sizes = the base's shape, then the index's shape (equal rank, attr `axis`). inputs: base, index
 *   (i32), source (the index's shape); output: the base with `out[.., index[p], ..] += source[p]`, in order of p.
 * - `scatterRows`: sizes = [outer, n, k, inner]; attrs `op` (a {@link Scattering}) and `full` (boolean). inputs: base [outer, n, inner],
 *   index (i32) [k] or, where full, [outer, k, inner]; source [outer, k, inner]. output: the base, its rows joined with the
 *   source's at the places that the index says, in order of k; `set` replaces, so the last one stays.
 * - `argsort`: sizes = [rows, n]; attr `descending` (boolean). input: values; output (i32): the stable order of each row, NaN last
 *   when ascending and first when descending.
 * - `cumulate`: sizes = [outer, n, inner]; attr `op` (a {@link Cumulation}). input: values; output: at each position along
 *   n what the op makes of the values up to it, in the input's dtype. `argmax` and `argmin` give the position (i32) of the
 *   last extreme value so far, NaN counting as extreme.
 * - `host`: whatever the kernel's `host` computes, in JavaScript: decompositions of matrices and the like, which only programs
 *   carry that use them. A device whose memory the host cannot reach refuses it with `unsupported`.
 */
export type NativeName = "scatterAdd" | "scatterRows" | "argsort" | "cumulate" | "host";

/** How `scatterRows` joins what is there with what comes; `max` and `min` give NaN where either is. */
export const scatterings = ["sum", "prod", "max", "min", "set"] as const;
export type Scattering = (typeof scatterings)[number];

/** What a `cumulate` native can compute. */
export const cumulations = ["sum", "prod", "logsumexp", "argmax", "argmin"] as const;
export type Cumulation = (typeof cumulations)[number];

export type Kernel = LoopKernel | ContractKernel | NativeKernel;
