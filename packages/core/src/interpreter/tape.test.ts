import { expect, it } from "vitest";
import { castNumber, type DType } from "../dtype.js";
import * as c from "../ir/calculus.js";
import { axisIndex, axisSize, cast, constant, type Expr, load, param, stage } from "../ir/expr.js";
import type { LoopKernel } from "../ir/kernel.js";
import { type ScalarOp, scalarOp } from "../ir/scalar-ops.js";
import { interpreter } from "./interpreter.js";
import { dense, loopKernel, runKernel } from "./run-kernel.fixture.js";

/*
 * Random kernels against a tree walk that knows nothing of tapes, chunks, hoisting and register reuse. All values are
 * whole numbers or exact fractions of small size, so both agree to the last bit.
 */

const INPUT = 97;

function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A value of each kind that occurs in a pool of expressions, grown by random operations on it. */
function grow(
  pick: (below: number) => number,
  axes: readonly number[],
  stages: number,
): { f: Expr[]; i: Expr[] } {
  const f: Expr[] = [param(0, "f64"), constant(0.5, "f64")];
  const i: Expr[] = [param(1, "i32"), ...axes.map(axisIndex), axisSize(pick(4))];
  const b: Expr[] = [constant(1, "bool")];
  for (let s = 0; s < stages; s++) f.push(stage(s, "f64"));
  const any = (list: readonly Expr[]): Expr => list[pick(list.length)] as Expr;
  for (let step = 0; step < 24; step++) {
    switch (pick(10)) {
      case 0:
        i.push(c.add(any(i), any(i)));
        break;
      case 1:
        i.push(c.imod(c.mul(any(i), any(i)), 11));
        break;
      case 2:
        b.push(c.less(any(i), any(i)));
        break;
      case 3:
        b.push(c.logicalAnd(any(b), c.greater(any(f), 0)));
        break;
      case 4:
        // Not affine, always inside.
        f.push(load(0, "f64", c.imod(c.bitAnd(any(i), 0x7fffffff), INPUT)));
        break;
      case 5: {
        // Affine where the axes are, and often outside.
        const at = c.add(c.mul(axisIndex(axes[pick(axes.length)] as number), 1 + pick(3)), c.sub(any(i), 3));
        f.push(load(0, "f64", at, c.logicalAnd(c.greaterEqual(at, 0), c.less(at, INPUT)), -1));
        break;
      }
      case 6:
        f.push(c.where(any(b), any(f), any(f)));
        break;
      case 7:
        f.push(c.maximum(any(f), c.neg(any(f))));
        break;
      case 8:
        f.push(cast(c.imod(any(i), 7), "f64"));
        break;
      default:
        // Kept small, so that nothing is ever rounded.
        f.push(c.minimum(c.maximum(c.sub(any(f), any(f)), -64), 64));
    }
  }
  return { f, i };
}

function randomKernel(seed: number): LoopKernel {
  const pick = random(seed);
  const last = <T>(list: readonly T[]): T => list[list.length - 1 - pick(3)] as T;
  return loopKernel({
    inputs: ["f64"],
    outputs: ["f64", "f64", "f64"],
    params: ["f64", "i32"],
    axes: 4,
    grid: 2,
    stages: [
      { over: [2, 3], op: "sum", value: last(grow(pick, [0, 1, 2, 3], 0).f), dtype: "f64" },
      { over: [3], op: pick(2) === 0 ? "max" : "min", value: last(grow(pick, [0, 1, 3], 1).f), dtype: "f64" },
    ],
    writes: [
      { over: [], buffer: 0, index: dense(0, 1), value: last(grow(pick, [0, 1], 2).f) },
      { over: [2, 3], buffer: 1, index: dense(0, 1, 2, 3), value: last(grow(pick, [0, 1, 2, 3], 2).f) },
      // Written backwards, along axes in another order.
      {
        over: [3, 2],
        buffer: 2,
        index: c.sub(
          c.sub(c.mul(c.mul(axisSize(0), axisSize(1)), c.mul(axisSize(2), axisSize(3))), 1),
          dense(0, 3, 1, 2),
        ),
        value: last(grow(pick, [0, 1, 2, 3], 2).f),
      },
    ],
  });
}

interface Point {
  readonly sizes: readonly number[];
  readonly params: readonly number[];
  readonly input: readonly number[];
  readonly axes: number[];
  readonly stages: number[];
}

function walk(e: Expr, at: Point): number {
  switch (e.kind) {
    case "const":
      return e.value;
    case "axis":
      return at.axes[e.axis] as number;
    case "size":
      return at.sizes[e.axis] as number;
    case "param":
      return at.params[e.index] as number;
    case "stage":
      return at.stages[e.index] as number;
    case "load":
      if (e.guard !== undefined && walk(e.guard, at) === 0) return e.fill as number;
      return at.input[walk(e.index, at)] as number;
    case "cast":
      return castNumber(walk(e.value, at), e.dtype);
    case "op": {
      const row = scalarOp(e.op) as ScalarOp;
      const operand = (e.args[e.args.length - 1] as Expr).dtype satisfies DType;
      return ((operand === "i32" ? row.integer : undefined) ?? row.value)(
        ...e.args.map((arg) => walk(arg, at)),
      );
    }
    default:
      throw new Error(e.kind);
  }
}

function eachPoint(axes: readonly number[], at: Point, f: () => void): void {
  const [axis, ...rest] = axes;
  if (axis === undefined) {
    f();
    return;
  }
  for (let i = 0; i < (at.sizes[axis] as number); i++) {
    at.axes[axis] = i;
    eachPoint(rest, at, f);
  }
}

function reference(kernel: LoopKernel, at: Point): number[][] {
  const [n0, n1, n2, n3] = at.sizes as [number, number, number, number];
  const outputs = [n0 * n1, n0 * n1 * n2 * n3, n0 * n1 * n2 * n3].map((n) => new Array<number>(n).fill(0));
  eachPoint([0, 1], at, () => {
    kernel.stages.forEach(({ op, over, value }, s) => {
      let result = op === "sum" ? 0 : op === "max" ? -Infinity : Infinity;
      eachPoint(over, at, () => {
        const x = walk(value, at);
        result = op === "sum" ? result + x : op === "max" ? Math.max(result, x) : Math.min(result, x);
      });
      at.stages[s] = result;
    });
    for (const { over, buffer, index, value } of kernel.writes) {
      eachPoint(over, at, () => {
        (outputs[buffer] as number[])[walk(index, at)] = walk(value, at);
      });
    }
  });
  return outputs;
}

// Runs along the grid, along inner axes, longer than a chunk either way, and over nothing.
const shapes = [
  [2, 3, 2, 3],
  [2, 70, 2, 3],
  [2, 2, 3, 70],
  [1, 600, 2, 2],
  [2, 1, 1, 600],
  [3, 2, 0, 4],
  [1, 1, 1, 1],
] as const;

it.each(Array.from({ length: 40 }, (_, seed) => seed))("random kernel %i equals the tree walk", (seed) => {
  const kernel = randomKernel(seed);
  const input = Array.from({ length: INPUT }, (_, i) => ((i * 31) % 17) - 8 + (i % 4) / 4);
  const params = [seed / 8 - 2, (seed * 5) % 13];
  const device = interpreter();
  for (const sizes of shapes) {
    const expected = reference(kernel, { sizes, params, input, axes: [0, 0, 0, 0], stages: [] });
    const outputs = expected.map((values) => values.length);
    const actual = runKernel(kernel, { inputs: [input], outputs, sizes, params }, device);
    // `+ 0` makes -0 and 0 one number: which zero a maximum gives is not what this is about.
    const plain = (all: readonly number[][]): number[][] => all.map((values) => values.map((v) => v + 0));
    expect(plain(actual), `sizes ${sizes.join(" ")}`).toEqual(plain(expected));
  }
});
