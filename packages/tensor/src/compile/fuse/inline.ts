import {
  calculus as c,
  cast,
  computeDType,
  type Expr,
  type InputExpr,
  param,
  postOrder,
  scalarOp,
  substitution,
} from "@gradus/core";
import { isWhole, type Operand, sameOperand } from "../lower-trace.js";
import { type Cluster, type ClusterValue, isMap, mapValue, readsOf } from "./cluster.js";
import { rounded } from "./rounded.js";

/** What may be computed again for each reader rather than kept in memory. */
const CHEAP = 2;
/** What may be computed again at each element that it is broadcast to. */
const CHEAP_BROADCAST = 8;

/**
 * `consumer` with the values of the map `producer` computed where it reads them, at whatever coordinates, or undefined
 * where that cannot be, or costs more than it saves.
 *
 * @param isOnlyReader whether nobody else wants these values
 */
export function inline(producer: Cluster, consumer: Cluster, isOnlyReader: boolean): Cluster | undefined {
  if (!isMap(producer)) return undefined;
  const rootOf = (e: InputExpr): number => (consumer.operands[e.index] as Operand).root;
  const reads = readsOf(consumer).filter((e) => producer.values.has(rootOf(e)));
  const values = new Map(reads.map((e) => [rootOf(e), producer.values.get(rootOf(e)) as ClusterValue]));
  for (const e of reads) {
    const value = values.get(rootOf(e)) as ClusterValue;
    if (!isPlain(value, producer) || !isWhole(consumer.operands[e.index] as Operand, value.aval))
      return undefined;
  }
  const exprs = [...values.values()].map(({ expr }) => expr);
  const price = costOf(exprs);
  const count = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
  const isRepeated = count(consumer.sizes) > count(producer.sizes) || reads.length > values.size;
  if (!isOnlyReader && (price > CHEAP || producer.operands.length > 1)) return undefined;
  if (isRepeated && price > CHEAP_BROADCAST) return undefined;
  // Packing an operand of a contraction is no place to compute in, and a guard is asked for each load.
  const isPure = producer.operands.length === 0;
  const { contraction } = consumer;
  if (contraction !== undefined && !isPure) {
    const packed = new Set(postOrder([contraction.a, contraction.b]));
    if (reads.some((e) => packed.has(e))) return undefined;
  }
  if (reads.some((e) => e.guard !== undefined) && price > CHEAP_BROADCAST) return undefined;

  const kept = consumer.operands.filter(({ root }) => !values.has(root));
  const operands = [...kept];
  const indexOf = (operand: Operand): number => {
    const found = operands.findIndex((other) => sameOperand(other, operand));
    return found >= 0 ? found : operands.push(operand) - 1;
  };
  const params = [...consumer.params, ...producer.params];
  const sizeParams = new Map<number, Expr>();
  const sizeOf = (axis: number): Expr => {
    let found = sizeParams.get(axis);
    if (found === undefined) {
      found = param(params.push({ value: producer.sizes[axis] as number, dtype: "i32" }) - 1, "i32");
      sizeParams.set(axis, found);
    }
    return found;
  };
  /** A value's expression at coordinates; one function for each place, so that what it shares stays shared. */
  const at = ({ at: places }: ClusterValue, coordinates: readonly Expr[], guard: Expr | undefined) => {
    const axes = new Map<number, Expr>();
    (places as readonly Expr[]).forEach((place, d) => {
      if (place.kind === "axis") axes.set(place.axis, coordinates[d] as Expr);
    });
    const visit: (e: Expr) => Expr = substitution((e) => {
      if (e.kind === "axis") return axes.get(e.axis);
      if (e.kind === "size") return sizeOf(e.axis);
      if (e.kind === "param") return { ...e, index: e.index + consumer.params.length };
      if (e.kind !== "input") return undefined;
      const own = e.guard && visit(e.guard);
      const both = own === undefined ? guard : guard === undefined ? own : c.logicalAnd(guard, own);
      const read: InputExpr = {
        kind: "input",
        index: indexOf(producer.operands[e.index] as Operand),
        at: (e.at as readonly Expr[]).map(visit),
        dtype: e.dtype,
      };
      return both === undefined ? read : { ...read, guard: both, fill: e.fill ?? 0 };
    });
    return visit;
  };
  const places: {
    value: ClusterValue;
    coordinates: readonly Expr[];
    guard: Expr | undefined;
    visit: (e: Expr) => Expr;
  }[] = [];
  const move: (e: Expr) => Expr = substitution((e) => {
    if (e.kind !== "input") return undefined;
    const coordinates = (e.at as readonly Expr[]).map(move);
    const guard = e.guard && move(e.guard);
    const value = values.get(rootOf(e));
    if (value === undefined) {
      const read: InputExpr = {
        ...e,
        index: indexOf(consumer.operands[e.index] as Operand),
        at: coordinates,
      };
      return guard === undefined ? read : { ...read, guard };
    }
    let place = places.find(
      (other) =>
        other.value === value && other.guard === guard && sameCoordinates(other.coordinates, coordinates),
    );
    if (place === undefined) {
      place = { value, coordinates, guard, visit: at(value, coordinates, guard) };
      places.push(place);
    }
    const computed = rounded(place.visit(value.expr));
    if (guard === undefined) return computed;
    const { dtype } = computed;
    return cast(c.where(guard, cast(computed, computeDType(dtype)), e.fill ?? 0), dtype);
  });
  return {
    ...consumer,
    names: new Map([...producer.names, ...consumer.names]),
    stages: consumer.stages.map((s) => ({ ...s, value: move(s.value) })),
    ...(contraction && { contraction: { ...contraction, a: move(contraction.a), b: move(contraction.b) } }),
    values: new Map([...consumer.values].map(([root, value]) => [root, mapValue(value, move)])),
    checks: consumer.checks.map((check) => ({ ...check, holds: move(check.holds) })),
    params,
    operands,
  };
}

function sameCoordinates(a: readonly Expr[], b: readonly Expr[]): boolean {
  return a.length === b.length && a.every((e, d) => sameCoordinate(e, b[d] as Expr));
}

function sameCoordinate(a: Expr, b: Expr): boolean {
  if (a === b) return true;
  if (a.kind === "axis") return b.kind === "axis" && a.axis === b.axis;
  return a.kind === "const" && b.kind === "const" && a.value === b.value;
}

/** Whether a value's element at any coordinates is its expression there. */
function isPlain({ at, over }: ClusterValue, { grid }: Cluster): boolean {
  if (at === undefined || over.length > 0) return false;
  const axes = at.flatMap((place) => (place.kind === "axis" ? [place.axis] : []));
  return at.every((place) => place.kind === "axis" || place.kind === "const") && axes.length === grid.length;
}

/** About how many instructions it takes to compute expressions once. */
export function costOf(exprs: readonly Expr[]): number {
  let cost = 0;
  for (const e of postOrder(exprs)) {
    if (e.kind !== "op" || e.dtype === "bool") continue;
    const { op } = e;
    if (op === "div" || op === "sqrt" || op === "reciprocal" || op === "idiv" || op === "imod") cost += 4;
    else cost += simple.has(op) ? 1 : scalarOp(op)?.expand === undefined ? 12 : 20;
  }
  return cost;
}

const simple = new Set([
  ...["add", "sub", "mul", "neg", "abs", "square", "maximum", "minimum", "relu", "where", "floor", "ceil"],
  ...["trunc", "round", "sign", "clamp", "bitAnd", "bitOr", "bitXor", "shiftLeft", "shiftRight"],
  "shiftRightLogical",
]);
