import { type Expr, postOrder } from "@gradus/core";
import type { Nest } from "./nest.js";

/** Whole numbers up to this size are exact in a float. */
export const MAX_EXACT = 2 ** 24;

type Interval = readonly [low: number, high: number];

const ANY: Interval = [-Infinity, Infinity];

/** What is known of a launch's integers. */
export interface Known {
  readonly sizes: readonly number[];
  readonly params: readonly number[];
  /** The greatest magnitude in each input of integers. */
  readonly inputs: readonly number[];
}

/**
 * The greatest magnitude of each output of integers, or undefined if any integer on the way may be beyond what a float holds
 * exactly.
 */
export function integerBounds(
  { stages, writes, checks }: Nest,
  known: Known,
): Map<number, number> | undefined {
  const found = new Map<Expr, Interval>();
  const stageBounds: Interval[] = [];
  const isExact = (roots: readonly Expr[]): boolean => {
    for (const e of postOrder(roots)) {
      if (e.dtype !== "i32" || found.has(e)) continue;
      const bound = intervalOf(e, (child) => found.get(child) ?? ANY, known, stageBounds);
      if (!(bound[0] >= -MAX_EXACT && bound[1] <= MAX_EXACT)) return false;
      found.set(e, bound);
    }
    return true;
  };
  for (const { over, op, value, dtype } of stages) {
    if (!isExact([value])) return undefined;
    const count = over.reduce((product, axis) => product * (known.sizes[axis] as number), 1);
    if (op === "argmax" || op === "argmin") {
      if (count > MAX_EXACT) return undefined;
      stageBounds.push([0, Math.max(0, count - 1)]);
      continue;
    }
    if (dtype !== "i32") {
      stageBounds.push(ANY);
      continue;
    }
    const [low, high] = found.get(value) as Interval;
    // The identities of the others are beyond what floats hold.
    if (op !== "sum" && (op === "prod" || count === 0)) return undefined;
    const bound: Interval =
      op === "sum" ? [Math.min(0, count * low), Math.max(0, count * high)] : [low, high];
    if (!(bound[0] >= -MAX_EXACT && bound[1] <= MAX_EXACT)) return undefined;
    stageBounds.push(bound);
  }
  const outputs = new Map<number, number>();
  for (const { buffer, index, value } of writes) {
    if (!isExact([index, value])) return undefined;
    if (value.dtype === "f32") continue;
    const [low, high] = value.dtype === "bool" ? [0, 1] : (found.get(value) as Interval);
    outputs.set(buffer, Math.max(outputs.get(buffer) ?? 0, -low, high));
  }
  return isExact(checks.map(({ holds }) => holds)) ? outputs : undefined;
}

function intervalOf(
  e: Expr,
  of: (child: Expr) => Interval,
  { sizes, params, inputs }: Known,
  stages: readonly Interval[],
): Interval {
  switch (e.kind) {
    case "const":
      return [e.value, e.value];
    case "axis":
      return [0, Math.max(0, (sizes[e.axis] as number) - 1)];
    case "size":
      return [sizes[e.axis] as number, sizes[e.axis] as number];
    case "param":
      return [params[e.index] as number, params[e.index] as number];
    case "stage":
      return stages[e.index] as Interval;
    case "load": {
      const bound = inputs[e.buffer] as number;
      return join([-bound, bound], e.guard === undefined ? [0, 0] : [e.fill ?? 0, e.fill ?? 0]);
    }
    case "cast":
      return e.value.dtype === "bool" ? [0, 1] : ANY;
    case "op": {
      const args = e.args.map(of) as [Interval, Interval, Interval];
      return (Object.hasOwn(rules, e.op) ? rules[e.op]?.(...args) : undefined) ?? ANY;
    }
    default:
      return ANY;
  }
}

function join(a: Interval, b: Interval): Interval {
  return [Math.min(a[0], b[0]), Math.max(a[1], b[1])];
}

function magnitude([low, high]: Interval): number {
  return Math.max(Math.abs(low), Math.abs(high));
}

function products([a, b]: Interval, [p, q]: Interval): Interval {
  const all = [a * p, a * q, b * p, b * q];
  return [Math.min(...all), Math.max(...all)];
}

/** Operations on integers whose results can be bounded; all others are the host's. */
const rules: Readonly<Record<string, (a: Interval, b: Interval, c: Interval) => Interval>> = {
  add: ([a, b], [p, q]) => [a + p, b + q],
  sub: ([a, b], [p, q]) => [a - q, b - p],
  mul: products,
  square: (a) => [0, magnitude(a) ** 2],
  neg: ([a, b]) => [-b, -a],
  abs: (a) => [0, magnitude(a)],
  sign: () => [-1, 1],
  relu: ([a, b]) => [Math.max(0, a), Math.max(0, b)],
  floor: (a) => a,
  ceil: (a) => a,
  trunc: (a) => a,
  round: (a) => a,
  idiv: (a, b) => [a[0] >= 0 && b[0] >= 0 ? 0 : -magnitude(a), magnitude(a)],
  imod: remainderOf,
  fmod: remainderOf,
  maximum: ([a, b], [p, q]) => [Math.max(a, p), Math.max(b, q)],
  minimum: ([a, b], [p, q]) => [Math.min(a, p), Math.min(b, q)],
  where: (_, a, b) => join(a, b),
};

function remainderOf(a: Interval, b: Interval): Interval {
  const most = Math.min(magnitude(a), Math.max(0, magnitude(b) - 1));
  return [a[0] < 0 ? -most : 0, most];
}
