import { affineIn, dependsOnAxis, type Expr, type LoadExpr, postOrder } from "@gradus/core";
import { axesOf, type Contraction, type GroupName } from "./contract-frame.js";
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

/** How an operand is multiplied: in place, or from dense rows that it is packed to. */
export interface Operand {
  readonly value: Expr;
  readonly inPlace?: InPlace;
  /** How it is packed: the groups of its rows and columns. */
  readonly rows: GroupName;
  readonly columns: GroupName;
  /** If its elements are neighbours along the rows: it may be packed by transposing squares. */
  readonly transposed?: LoadExpr;
  /** Whether its elements are neighbours along the columns too, or only there. */
  readonly isDense: boolean;
}

/** The left operand: its elements may lie anywhere, so it is packed as it lies. */
export function leftOperand(kernel: Contraction, value: Expr): Operand {
  const [alongK, alongM] = (["k", "m"] as const).map((name) => stridedAlong(kernel, value, name)) as [
    number,
    number,
  ];
  const [rows, columns] = alongK <= alongM ? (["m", "k"] as const) : (["k", "m"] as const);
  const inPlace = placeOf(kernel, value, "m", "k");
  return { value, rows, columns, isDense: true, ...(inPlace !== undefined && { inPlace }) };
}

/** The right operand: its rows, along n, must be dense. */
export function rightOperand(kernel: Contraction, value: Expr): Operand {
  const isDense = stridedAlong(kernel, value, "n") === 0;
  const packed = { value, rows: "k", columns: "n", isDense } as const;
  const inPlace = placeOf(kernel, value, "k", "n");
  if (inPlace !== undefined && isOne(inPlace.column)) return { ...packed, inPlace };
  const isPlain = value.kind === "load" && value.guard === undefined;
  const last = axesOf(kernel, "k").at(-1);
  if (isPlain && last !== undefined && isOne(affineIn(value.index, last)?.stride)) {
    return { ...packed, transposed: value };
  }
  return packed;
}

function isOne(e: Expr | undefined): boolean {
  return e?.kind === "const" && e.value === 1;
}

function stridedAlong(kernel: Contraction, value: Expr, name: GroupName): number {
  const last = axesOf(kernel, name).at(-1);
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
  const [rows, columns] = [axesOf(kernel, rowGroup), axesOf(kernel, columnGroup)];
  if (rows.length > 1 || columns.length > 1) return undefined;
  const zero: Expr = { kind: "const", value: 0, dtype: "i32" };
  const along = (index: Expr, axis: number | undefined) =>
    axis === undefined ? { base: index, stride: zero } : affineIn(index, axis);
  const row = along(value.index, rows[0]);
  const column = row && along(row.base, columns[0]);
  if (row === undefined || column === undefined) return undefined;
  const all = Array.from({ length: Object.values(kernel.groups).reduce((a, b) => a + b, 0) }, (_, i) => i);
  const isSteady = (stride: Expr): boolean =>
    all.every((axis) => !dependsOnAxis(stride, axis)) && postOrder([stride]).every((e) => e.kind !== "load");
  if (!isSteady(row.stride) || !isSteady(column.stride)) return undefined;
  return { load: value, start: column.base, row: row.stride, column: column.stride };
}
