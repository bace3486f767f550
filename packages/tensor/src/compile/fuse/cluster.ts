import {
  type Aval,
  axisIndex,
  type Check,
  type ContractBody,
  constant,
  contiguousLayout,
  type DType,
  type Expr,
  type InputExpr,
  inputAt,
  type LoopBody,
  type LoweredWrite,
  postOrder,
  type Scalar,
  type Stage,
  substitute,
} from "@gradus/core";
import { isWhole, type KernelNode, type Operand, sameOperand } from "../lower-trace.js";
import { through } from "./coordinates.js";

/** A value that a cluster computes. */
export interface ClusterValue {
  readonly aval: Aval;
  readonly expr: Expr;
  /** The axes, beside the grid's, along which it is computed. */
  readonly over: readonly number[];
  /** The coordinates of the element in the value; instead there may be its row-major position. */
  readonly at: readonly Expr[] | undefined;
  readonly flat?: Expr;
}

/** The sum of a contraction, as a cluster's `stage(0)`. */
export interface Contraction {
  readonly groups: { readonly [Group in "batch" | "m" | "n" | "k"]: readonly number[] };
  readonly a: Expr;
  readonly b: Expr;
  readonly accumulate: DType;
}

/**
 * Operations on the way to one kernel: axes, what is reduced along them, and the values that come of it. Axes of size 1
 * are left out. Every `input` expression has coordinates.
 */
export interface Cluster {
  /** Names of the operations, by their place in the trace. */
  readonly names: ReadonlyMap<number, string>;
  /** Sizes of the axes. */
  readonly sizes: readonly number[];
  /** The axes whose points are independent, in order; of a contraction all but those of k. */
  readonly grid: readonly number[];
  readonly stages: readonly Stage[];
  readonly contraction?: Contraction;
  readonly values: ReadonlyMap<number, ClusterValue>;
  readonly checks: readonly Check[];
  readonly params: readonly { readonly value: number | Scalar; readonly dtype: DType }[];
  readonly operands: readonly Operand[];
}

/** An operation as a cluster, or undefined where it cannot be joined with others: a native, or one without elements. */
export function clusterOf(
  node: KernelNode,
  place: number,
  avalOf: (root: number) => Aval | undefined,
): Cluster | undefined {
  const { lowered, avals } = node;
  if (lowered.kind === "native" || lowered.sizes.includes(0)) return undefined;
  if (avals.some(({ shape }) => shape.includes(0))) return undefined;
  const body = lowered.body();
  const { sizes } = lowered;
  const isLoop = "stages" in body;
  const gridCount = isLoop ? body.grid : body.groups.batch + body.groups.m + body.groups.n;
  // Axes of size 1 are the position 0.
  const kept = sizes.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const renamed = new Map(kept.map((axis, i) => [axis, i]));
  const rename = (axes: readonly number[]): number[] =>
    axes.flatMap((axis) => (renamed.has(axis) ? [renamed.get(axis) as number] : []));
  const indexOf = (axis: number): Expr => {
    const now = renamed.get(axis);
    return now === undefined ? constant(0, "i32") : axisIndex(now);
  };
  const operands: Operand[] = [];
  const made = new Map<Expr, Expr>();
  const move = (root: Expr): Expr =>
    substitute(root, (e) => {
      if (e.kind === "axis") return indexOf(e.axis);
      if (e.kind === "size")
        return renamed.has(e.axis) ? { ...e, axis: renamed.get(e.axis) as number } : constant(1, "i32");
      if (e.kind !== "input") return undefined;
      let read = made.get(e);
      if (read === undefined) {
        read = readOf(e, node.operands[e.index] as Operand);
        made.set(e, read);
      }
      return read;
    });
  const keptSizes = kept.map((axis) => sizes[axis] as number);
  const readOf = (e: InputExpr, operand: Operand): Expr => {
    const { shape } = operand.layout;
    const guard = e.guard && move(e.guard);
    const at =
      e.at?.map(move) ??
      shape.map((n, d) => (n === 1 ? constant(0, "i32") : indexOf(gridCount - shape.length + d)));
    const aval = avalOf(operand.root);
    let source = operand;
    let position: readonly Expr[] = at;
    if (aval !== undefined && !isWhole(operand, aval) && guard === undefined) {
      const found = through(operand.layout, aval.shape, at, keptSizes);
      if (found !== undefined) {
        position = found;
        source = wholeOf(operand.root, aval);
      }
    }
    let index = operands.findIndex((other) => sameOperand(other, source));
    if (index < 0) index = operands.push(source) - 1;
    return inputAt(index, e.dtype, position, guard, e.fill ?? 0);
  };
  const range = (from: number, count: number): number[] =>
    rename(Array.from({ length: count }, (_, i) => from + i));

  const values = new Map<number, ClusterValue>();
  body.writes.forEach((write: LoweredWrite | Omit<LoweredWrite, "over">, k) => {
    const over = "over" in write ? write.over : [];
    const order = [...Array.from({ length: gridCount }, (_, axis) => axis), ...over];

    values.set(node.outputs[k] as number, {
      aval: avals[k] as Aval,
      expr: move(write.value),
      over: rename(over),
      ...(write.flat === undefined
        ? { at: write.at?.map(move) ?? order.map(indexOf) }
        : { at: undefined, flat: move(write.flat) }),
    });
  });
  return {
    names: new Map([[place, node.name]]),
    sizes: keptSizes,
    grid: range(0, gridCount),
    stages: isLoop ? stagesOf(body, rename, move) : [],
    ...(!isLoop && { contraction: contractionOf(body, range, move) }),
    values,
    checks: isLoop
      ? (body.checks ?? []).map((check) => ({ ...check, over: rename(check.over), holds: move(check.holds) }))
      : [],
    params: lowered.params.map((value, i) => ({ value, dtype: body.params[i] as DType })),
    operands,
  };
}

function stagesOf(
  body: LoopBody,
  rename: (axes: readonly number[]) => number[],
  move: (e: Expr) => Expr,
): Stage[] {
  return body.stages.map((stage) => ({ ...stage, over: rename(stage.over), value: move(stage.value) }));
}

function contractionOf(
  { groups, a, b, accumulate }: ContractBody,
  range: (from: number, count: number) => number[],
  move: (e: Expr) => Expr,
): Contraction {
  const { batch, m, n, k } = groups;
  return {
    groups: {
      batch: range(0, batch),
      m: range(batch, m),
      n: range(batch + m, n),
      k: range(batch + m + n, k),
    },
    a: move(a),
    b: move(b),
    accumulate,
  };
}

/** All of a value, in order. */
export function wholeOf(root: number, aval: Aval): Operand {
  return { root, layout: contiguousLayout(aval) };
}

/** Every expression of a cluster. */
export function rootsOf({ stages, contraction, values, checks }: Cluster): Expr[] {
  return [
    ...stages.map(({ value }) => value),
    ...(contraction === undefined ? [] : [contraction.a, contraction.b]),
    ...[...values.values()].flatMap(exprsOf),
    ...checks.map(({ holds }) => holds),
  ];
}

/** The expressions of a value: itself, and where it goes. */
export function exprsOf({ expr, at = [], flat }: ClusterValue): Expr[] {
  return flat === undefined ? [expr, ...at] : [expr, flat];
}

/** A value with its expressions replaced. */
export function mapValue(value: ClusterValue, move: (e: Expr) => Expr): ClusterValue {
  const { expr, at, flat } = value;
  return {
    ...value,
    expr: move(expr),
    at: at?.map(move),
    ...(flat !== undefined && { flat: move(flat) }),
  };
}

/** Every place where a cluster reads one of its operands. */
export function readsOf(cluster: Cluster): InputExpr[] {
  return postOrder(rootsOf(cluster)).filter((e) => e.kind === "input");
}

/** Whether each element of the values depends on elements alone: nothing is reduced, checked, or in another order. */
export function isMap({ stages, contraction, checks }: Cluster): boolean {
  return stages.length === 0 && contraction === undefined && checks.length === 0;
}
