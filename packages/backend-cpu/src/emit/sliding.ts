import { affineIn, calculus as c, constant, type Expr, type LoadExpr, postOrder } from "@gradus/core";
import type { AxisGroup } from "./axis-group.js";
import type { Contraction } from "./contract-frame.js";
import { isSteady } from "./operand.js";
import type { Word, Words } from "./words.js";

/**
 * How a right operand's rows overlap: along the last axis of k, a row is the one before, moved by some columns, as the windows
 * of a convolution are. So a row is packed once for all steps along that axis, or not at all. In memory rows of positions may
 * have more columns than there are points, which are computed for nothing.
 */
export interface Sliding {
  readonly load: LoadExpr;
  /** Columns from one step along the last axis of k to the next. */
  readonly shift: number;
  /**
   * If rows of positions may overlap in the same way: how many of them a step along the axis of k before the last moves a row,
   * provided that the second stride is so many times the first.
   */
  readonly rows?: { readonly shift: number; readonly strides: readonly [Expr, Expr] };
  /** Where the elements are, if there is no guard. */
  readonly inPlace?: {
    /** The index of the first element of a batch. */
    readonly start: Expr;
    /** From there to a step along k. */
    readonly offset: Expr;
    /** Elements between rows of positions. */
    readonly pitch: Expr;
  };
}

/** Columns that a row is moved over. */
export function reachOf(words: Words, k: AxisGroup, { shift }: Sliding): Word {
  return words.mul(words.sub(k.last.size, 1), shift);
}

/** The contraction with all but the last two axes of its columns in the batch, and how its right operand then slides. */
export function slidingContraction(
  kernel: Contraction,
): { readonly kernel: Contraction; readonly sliding: Sliding } | undefined {
  const { b, axes, accumulate } = kernel;
  const [along, last] = [axes.n.at(-1), axes.k.at(-1)];
  if (b.kind !== "load" || b.dtype !== accumulate || along === undefined || last === undefined)
    return undefined;
  const stride = constantStride(b.index, along);
  const shift = constantStride(b.index, last);
  if (stride !== 1 || shift === undefined || shift < 1) return undefined;
  if (guardShift(b, along, last, shift) === undefined) return undefined;
  const n = axes.n.slice(-2);
  const moved = { ...kernel, axes: { ...axes, batch: [...axes.batch, ...axes.n.slice(0, -2)], n } };
  const inPlace = b.guard === undefined ? placeOf(moved, b.index) : undefined;
  return {
    kernel: { ...moved, isPitched: true },
    sliding: {
      load: b,
      shift,
      ...(inPlace === undefined ? rowsOf(moved, b) : { inPlace }),
    },
  };
}

function rowsOf(kernel: Contraction, b: LoadExpr): Pick<Sliding, "rows"> {
  const [along, last] = [kernel.axes.n.at(-2), kernel.axes.k.at(-2)];
  if (along === undefined || last === undefined) return {};
  const shift = guardShift(b, along, last);
  const strides = [along, last].map((axis) => affineIn(b.index, axis)?.stride);
  if (shift === undefined || !strides.every((stride) => stride !== undefined && isSteady(kernel, stride)))
    return {};
  return { rows: { shift, strides: strides as [Expr, Expr] } };
}

/** The positions along one axis that a step along another one is worth in the guard, if it is the same (or `shift`) in all of it. */
function guardShift({ guard }: LoadExpr, along: number, last: number, shift?: number): number | undefined {
  const sides =
    guard === undefined
      ? []
      : postOrder([guard])
          .filter(isComparison)
          .flatMap((e) => e.args);
  let found = shift;
  for (const side of sides) {
    const [one, other] = [constantStride(side, along), constantStride(side, last)];
    if (one === undefined || other === undefined) return undefined;
    if (one !== 0) found ??= other / one;
    if (other !== one * (found ?? 0)) return undefined;
  }
  return found !== undefined && Number.isInteger(found) && found > 0 ? found : undefined;
}

function placeOf(kernel: Contraction, index: Expr): Sliding["inPlace"] {
  const { n, k } = kernel.axes;
  let start = index;
  const strides: Expr[] = [];
  for (const axis of [...n, ...k]) {
    const affine = affineIn(start, axis);
    if (affine === undefined || !isSteady(kernel, affine.stride)) return undefined;
    start = affine.base;
    strides.push(affine.stride);
  }
  const offset = k
    .map((axis, i) => c.mul({ kind: "axis", axis, dtype: "i32" }, strides[n.length + i] as Expr))
    .reduce((a, b) => c.add(a, b));
  return { start, offset, pitch: n.length === 2 ? (strides[0] as Expr) : constant(0, "i32") };
}

function constantStride(e: Expr, axis: number): number | undefined {
  const stride = e.dtype === "i32" ? affineIn(e, axis)?.stride : undefined;
  return stride?.kind === "const" ? stride.value : undefined;
}

function isComparison(e: Expr): e is Extract<Expr, { kind: "op" }> {
  return e.kind === "op" && e.op !== "logicalAnd" && e.dtype === "bool";
}
