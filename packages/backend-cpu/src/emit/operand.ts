import { affineIn, type Expr, type LoadExpr, postOrder } from "@gradus/core";
import type { Contraction, GroupName } from "./contract-frame.js";
import { lanesFor } from "./expressions.js";
import type { Sliding } from "./sliding.js";
import { stridedLoads } from "./strided-loads.js";

/** Where an operand's elements are, if they can be read in place: `start + row * position + column * position`. */
export interface InPlace {
  readonly load: LoadExpr;
  /** The index of its first element. It may depend on the batch. */
  readonly start: Expr;
  /** Strides in elements along the two groups, the same everywhere. */
  readonly row: Expr;
  readonly column: Expr;
}

/** How an operand is multiplied: in place, or from dense rows along m or n that it is packed to, one for each step along k. */
export interface Operand {
  readonly value: Expr;
  readonly inPlace?: InPlace;
  /** The group of a row's elements. */
  readonly columns: GroupName;
  /** Whether its elements are neighbours along the rows: it may be packed by transposing squares. */
  readonly isTransposed: boolean;
  /** Whether its elements are neighbours along the columns too, or only there. */
  readonly isDense: boolean;
  /** How its rows overlap, if that is made use of. */
  readonly sliding?: Sliding;
}

/** The left operand: read element by element, from columns of neighbours. */
export function leftOperand(kernel: Contraction, value: Expr): Operand {
  const alongM = stridedAlong(kernel, value, "m");
  const isTransposed = alongM !== 0 && isDenseAlongK(kernel, value);
  const inPlace = placeOf(kernel, value, "m", "k");
  return {
    value,
    columns: "m",
    isDense: !isTransposed,
    isTransposed,
    ...(inPlace !== undefined && { inPlace }),
  };
}

/** The right operand: its rows, along n, must be dense. */
export function rightOperand(kernel: Contraction, value: Expr): Operand {
  const isDense = stridedAlong(kernel, value, "n") === 0;
  const packed = { value, columns: "n", isDense, isTransposed: false } as const;
  const inPlace = placeOf(kernel, value, "k", "n");
  if (inPlace !== undefined && isOne(inPlace.column)) return { ...packed, inPlace };
  return isDenseAlongK(kernel, value) ? { ...packed, isTransposed: true } : packed;
}

/** Whether vectors along k are of neighbours. */
export function isDenseAlongK(kernel: Contraction, value: Expr): boolean {
  const lanes = kernel.accumulate === "f64" ? 2 : 4;
  return stridedAlong(kernel, value, "k") === 0 && lanesFor([value]) === lanes;
}

function isOne(e: Expr | undefined): boolean {
  return e?.kind === "const" && e.value === 1;
}

function stridedAlong(kernel: Contraction, value: Expr, name: GroupName): number {
  const last = kernel.axes[name].at(-1);
  return last === undefined ? Number.POSITIVE_INFINITY : stridedLoads(value, last);
}

function placeOf(
  kernel: Contraction,
  value: Expr,
  rowGroup: GroupName,
  columnGroup: GroupName,
): InPlace | undefined {
  if (value.kind !== "load" || value.guard !== undefined || value.dtype !== kernel.accumulate)
    return undefined;
  const [rows, columns] = [kernel.axes[rowGroup], kernel.axes[columnGroup]];
  if (rows.length > 1 || columns.length > 1) return undefined;
  const zero: Expr = { kind: "const", value: 0, dtype: "i32" };
  const along = (index: Expr, axis: number | undefined) =>
    axis === undefined ? { base: index, stride: zero } : affineIn(index, axis);
  const row = along(value.index, rows[0]);
  const column = row && along(row.base, columns[0]);
  if (row === undefined || column === undefined) return undefined;
  if (!isSteady(kernel, row.stride) || !isSteady(kernel, column.stride)) return undefined;
  return { load: value, start: column.base, row: row.stride, column: column.stride };
}

/** Whether a stride is the same at all points. */
export function isSteady({ groups }: Contraction, stride: Expr): boolean {
  const all = Object.values(groups).reduce((a, b) => a + b, 0);
  return postOrder([stride]).every((e) => e.kind !== "load" && !(e.kind === "axis" && e.axis < all));
}
