import {
  axisIndex,
  type ContractBody,
  type ContractLowering,
  type Expr,
  type InputExpr,
  type LoopBody,
  type LoopLowering,
  postOrder,
  sameExpr,
} from "@gradus/core";
import { sumOf } from "./sum-of.js";

/** An element that a body reads or writes: of which operand, at which coordinates. */
export interface Access {
  readonly of: "input" | "output";
  readonly operand: number;
  /** One coordinate an axis of the operand; undefined: the grid point, broadcast. */
  readonly at: readonly Expr[] | undefined;
  /** The one coordinate is a row-major position. */
  readonly flat?: boolean;
}

export type Body =
  | { readonly kind: "loops"; readonly value: LoopBody }
  | { readonly kind: "contract"; readonly value: ContractBody };

/** A lowering's body and what it accesses. */
export interface Analysis {
  readonly body: Body;
  readonly accesses: readonly Access[];
  /** Which access each input expression makes. */
  readonly accessOf: ReadonlyMap<InputExpr, number>;
  /** The access of each write, in order. */
  readonly writes: readonly number[];
  /** How many axes are the grid (of a contraction: batch, m and n). */
  readonly grid: number;
  /** For each axis a number: axes of one number are looped over together, so neighbours may be joined. */
  readonly groups: readonly number[];
  /** Axes whose index or size is used otherwise than as a coordinate: they stay as they are. */
  readonly pinned: ReadonlySet<number>;
  /** Whether each element of the outputs depends on the inputs' elements at the same place, and on nothing else. */
  readonly pointwise: boolean;
}

const MAX_BODIES = 2048;
const analyses = new Map<string, Analysis>();

/** The analysis of a lowering's body; made once per key. */
export function analyse(lowered: LoopLowering | ContractLowering): Analysis {
  const known = analyses.get(lowered.key);
  if (known !== undefined) return known;
  const body: Body =
    lowered.kind === "loops"
      ? { kind: "loops", value: lowered.body() }
      : { kind: "contract", value: lowered.body() };
  const made = analyseBody(body, lowered.sizes.length);
  analyses.set(lowered.key, made);
  if (analyses.size > MAX_BODIES) analyses.delete(analyses.keys().next().value as string);
  return made;
}

function analyseBody(body: Body, axes: number): Analysis {
  const roots = rootsOf(body);
  const accesses: Access[] = [];
  const accessOf = new Map<InputExpr, number>();
  for (const e of postOrder(roots)) {
    if (e.kind !== "input") continue;
    let found = accesses.findIndex((a) => a.operand === e.index && sameCoordinates(a.at, e.at));
    if (found < 0) found = accesses.push({ of: "input", operand: e.index, at: e.at }) - 1;
    accessOf.set(e, found);
  }
  const grid = gridOf(body);
  const gridAxes = Array.from({ length: grid }, (_, axis) => axis);
  const writes = body.value.writes.map((write, operand) => {
    const over = "over" in write ? (write.over as readonly number[]) : [];
    if (write.flat !== undefined)
      return accesses.push({ of: "output", operand, at: [write.flat], flat: true }) - 1;
    return (
      accesses.push({ of: "output", operand, at: write.at ?? [...gridAxes, ...over].map(axisIndex) }) - 1
    );
  });
  const pinned = pinnedAxes(roots, accesses);
  const atItsPlace = accesses.every((access) => access.of === "output" || access.at === undefined);
  const written = body.value.writes.every((write) => write.at === undefined && write.flat === undefined);
  return {
    body,
    accesses,
    accessOf,
    writes,
    grid,
    groups: groupsOf(body, axes),
    pinned,
    pointwise: body.kind === "loops" && grid === axes && atItsPlace && written && pinned.size === 0,
  };
}

/** Every expression of a body. */
function rootsOf({ kind, value }: Body): Expr[] {
  const written = value.writes.map((write) => write.value);
  if (kind === "contract") return [value.a, value.b, ...written];
  return [
    ...value.stages.map((s) => s.value),
    ...written,
    ...(value.checks ?? []).map((check) => check.holds),
  ];
}

function gridOf({ kind, value }: Body): number {
  return kind === "loops" ? value.grid : value.groups.batch + value.groups.m + value.groups.n;
}

function groupsOf({ kind, value }: Body, axes: number): number[] {
  const numbered = (name: (axis: number) => string): number[] => {
    const names = new Map<string, number>();
    return Array.from({ length: axes }, (_, axis) => {
      if (!names.has(name(axis))) names.set(name(axis), names.size);
      return names.get(name(axis)) as number;
    });
  };
  if (kind === "contract") {
    const { batch, m, n } = value.groups;
    const [mEnd, nEnd] = [batch + m, batch + m + n];
    return numbered((axis) => (axis < batch ? "batch" : axis < mEnd ? "m" : axis < nEnd ? "n" : "k"));
  }
  const loops = [...value.stages, ...value.writes, ...(value.checks ?? [])].map((part) => part.over);
  return numbered((axis) =>
    axis < value.grid ? "grid" : loops.map((over) => Number(over.includes(axis))).join(""),
  );
}

function pinnedAxes(roots: readonly Expr[], accesses: readonly Access[]): Set<number> {
  const pinned = new Set<number>();
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === "axis" || e.kind === "size") pinned.add(e.axis);
    else if (e.kind === "op") e.args.forEach(visit);
    else if (e.kind === "cast") visit(e.value);
    else if (e.kind === "input" && e.guard !== undefined) visit(e.guard);
  };
  roots.forEach(visit);
  for (const { at } of accesses)
    for (const coordinate of at ?? [])
      for (const { of } of sumOf(coordinate).terms) if (of.kind !== "axis") visit(of);
  return pinned;
}

function sameCoordinates(a: readonly Expr[] | undefined, b: readonly Expr[] | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((e, i) => sameExpr(e, b[i] as Expr));
}
