import {
  axisIndex,
  axisSize,
  calculus as c,
  cast,
  constant,
  type DType,
  type Expr,
  load,
  param,
  type StageReduction,
  stage,
} from "@gradus/core";
import { describe, expect, it } from "vitest";
import {
  adam,
  copyStrided,
  type Direction,
  elementwise,
  flat,
  loops,
  reduction,
  softmax,
  strided,
} from "./kernels.js";
import type { Subject } from "./subject.js";
import { count, edgeSizes, MAX_I32, MIN_I32, uniformNumbers, wholeNumbers } from "./values.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Loop kernels: addressing, stages, reductions, writes. */
export function loopKernels(subject: Subject): void {
  describe("elementwise", () => elementwiseLoops(subject));
  describe("addressing", () => addressing(subject));
  describe("reductions", () => reductions(subject));
  describe("stages and writes", () => stages(subject));
}

function elementwiseLoops(subject: Subject): void {
  it.each(edgeSizes)("adds %i elements", async (n) => {
    const [a, b] = [wholeNumbers(n, 1000, 1), wholeNumbers(n, 1000, 2)];
    const sums = a.map((x, i) => x + (b[i] as number));
    await subject.check(
      elementwise(["f32", "f32"], c.add),
      { inputs: [a, b], outputs: [n], sizes: [n] },
      { values: [sums] },
    );
  });

  it("computes what occurs often once", async () => {
    // 40 doublings of a shared expression: a tree of 2^40 leaves.
    const doubled = (x: Expr): Expr => count(40).reduce((y) => c.add(y, y), x);
    await subject.check(
      elementwise(["f32"], doubled),
      { inputs: [[1, 3]], outputs: [2], sizes: [2] },
      { values: [[2 ** 40, 3 * 2 ** 40]] },
    );
  });

  it("computes long expressions", async () => {
    const steps = (x: Expr): Expr =>
      count(150).reduce((y, k) => c.mul(c.add(y, k % 3), k % 2 === 0 ? 0.5 : 2), x);
    const inputs = [wholeNumbers(70)];
    await subject.check(
      elementwise(["f32"], steps),
      { inputs, outputs: [70], sizes: [70] },
      { tolerance: "kernel" },
    );
  });

  it("takes run-time numbers of each dtype", async () => {
    const kernel = loops({
      outputs: ["f32"],
      params: ["f32", "i32", "bool"],
      axes: 1,
      writes: [
        {
          over: [],
          buffer: 0,
          index: axisIndex(0),
          value: c.where(param(2, "bool"), c.mul(param(0, "f32"), cast(param(1, "i32"), "f32")), 0),
        },
      ],
    });
    await subject.check(
      kernel,
      { outputs: [3], sizes: [3], params: [0.5, -7, 1] },
      { values: [[-3.5, -3.5, -3.5]] },
    );
    await subject.check(kernel, { outputs: [3], sizes: [3], params: [0.5, -7, 0] }, { values: [[0, 0, 0]] });
    await subject.check(kernel, { outputs: [1], sizes: [1], params: [inf, 1, 1] }, { values: [[inf]] });
  });

  it("takes constants that are not numbers of every day", async () => {
    const at = axisIndex(0);
    const values = [nan, inf, -inf, 3.4028234663852886e38, 1e-30];
    const kernel = loops({
      outputs: values.map((): DType => "f32"),
      axes: 1,
      writes: values.map((value, buffer) => ({ over: [], buffer, index: at, value: constant(value, "f32") })),
    });
    await subject.check(
      kernel,
      { outputs: values.map(() => 2), sizes: [2] },
      { values: values.map((x) => [x, x]) },
    );
  });

  it("knows sizes and positions", async () => {
    const value = c.add(
      c.mul(axisSize(0), 1000),
      c.add(c.mul(axisSize(1), 100), c.add(c.mul(axisIndex(0), 10), axisIndex(1))),
    );
    const kernel = loops({
      outputs: ["i32"],
      axes: 2,
      writes: [{ over: [], buffer: 0, index: flat(0, 1), value }],
    });
    await subject.check(
      kernel,
      { outputs: [6], sizes: [2, 3] },
      { values: [[2300, 2301, 2302, 2310, 2311, 2312]] },
    );
  });

  it("runs a kernel without axes once", async () => {
    const zero = constant(0, "i32");
    const kernel = loops({
      inputs: ["f32"],
      outputs: ["f32"],
      axes: 0,
      writes: [{ over: [], buffer: 0, index: zero, value: c.add(load(0, "f32", zero), 1) }],
    });
    await subject.check(kernel, { inputs: [[41]], outputs: [1], sizes: [] }, { values: [[42]] });
  });

  it("mixes integers as a random generator does", async () => {
    const mix = (x: Expr): Expr =>
      count(4).reduce((h, k) => {
        const product = c.mul(c.bitXor(h, c.shiftRightLogical(h, 16)), 0x45d9f3b + 2 * k);
        return c.add(c.bitOr(c.shiftLeft(product, 13), c.shiftRightLogical(product, 19)), k);
      }, x);
    const reference = (x: number): number =>
      count(4).reduce((h, k) => {
        const product = Math.imul(h ^ (h >>> 16), 0x45d9f3b + 2 * k);
        return (((product << 13) | (product >>> 19)) + k) | 0;
      }, x);
    const inputs = [0, 1, -1, 12345, MAX_I32, MIN_I32, -987654321];
    await subject.check(
      elementwise(["i32"], mix),
      { inputs: [inputs], outputs: [inputs.length], sizes: [inputs.length] },
      { values: [inputs.map(reference)] },
    );
  });

  it("binds as many buffers as it says, or seven inputs", async () => {
    const inputs = Math.min(7, subject.device.caps.maxBuffers - 1);
    const kernel = elementwise(new Array<DType>(inputs).fill("f32"), (...xs) =>
      xs.reduce((a, b) => c.add(a, b)),
    );
    const columns = count(inputs).map((k) => [2 ** k, -(2 ** k)]);
    const total = 2 ** inputs - 1;
    await subject.check(kernel, { inputs: columns, outputs: [2], sizes: [2] }, { values: [[total, -total]] });
  });

  it("has an f64 beside f32, if it has one at all", async () => {
    const kernel = elementwise(["f32", "f64"], (a, b) => c.add(cast(a, "f64"), b));
    const launched = {
      inputs: [
        [0.5, 1],
        [2 ** -40, 1e300],
      ],
      outputs: [2],
      sizes: [2],
    };
    await subject.check(kernel, launched, { values: [[0.5 + 2 ** -40, 1e300]] });
  });
}

function addressing(subject: Subject): void {
  const x = count(24);

  it.each([
    { name: "transposed", offset: 0, strides: [1, 4], sizes: [4, 6] },
    { name: "reversed", offset: 23, strides: [-4, -1], sizes: [6, 4] },
    { name: "with steps", offset: 1, strides: [8, 2], sizes: [3, 2] },
    { name: "repeated along the last axis", offset: 3, strides: [5, 0], sizes: [4, 7] },
    { name: "repeated along the first axis", offset: 3, strides: [0, 2], sizes: [5, 9] },
    { name: "overlapping", offset: 0, strides: [1, 1], sizes: [10, 15] },
    { name: "without elements", offset: 0, strides: [4, 1], sizes: [3, 0] },
    { name: "one element", offset: 7, strides: [100, 100], sizes: [1, 1] },
  ])("copies an operand that lies $name", async ({ offset, strides, sizes }) => {
    const [rows, columns] = sizes as [number, number];
    const [s0, s1] = strides as [number, number];
    const expected = count(rows).flatMap((i) => count(columns).map((j) => offset + i * s0 + j * s1));
    await subject.check(
      copyStrided("f32", 2),
      { inputs: [x], outputs: [expected.length], sizes, params: [offset, ...strides] },
      { values: [expected] },
    );
  });

  it("walks five axes", async () => {
    const sizes = [2, 3, 2, 3, 2];
    const strides = [1, 24, 12, 4, 2];
    const expected = count(72).map((p) => {
      let rest = p;
      return sizes.reduceRight((at, n, axis) => {
        const i = rest % n;
        rest = (rest - i) / n;
        return at + i * (strides[axis] as number);
      }, 0);
    });
    await subject.check(
      copyStrided("i32", 5),
      { inputs: [count(72)], outputs: [72], sizes, params: [0, ...strides] },
      { values: [expected] },
    );
  });

  it("broadcasts a column against a row", async () => {
    const kernel = loops({
      inputs: ["f32", "f32"],
      outputs: ["f32"],
      axes: 2,
      writes: [
        {
          over: [],
          buffer: 0,
          index: flat(0, 1),
          value: c.mul(load(0, "f32", axisIndex(0)), load(1, "f32", axisIndex(1))),
        },
      ],
    });
    const [column, row] = [
      [2, 3, 5],
      [1, 10, 100, 1000, 10000],
    ];
    const expected = column.flatMap((a) => row.map((b) => a * b));
    await subject.check(
      kernel,
      { inputs: [column, row], outputs: [15], sizes: [3, 5] },
      { values: [expected] },
    );
  });

  it("writes where the index says", async () => {
    const kernel = loops({
      inputs: ["i32"],
      outputs: ["i32"],
      params: ["i32", "i32", "i32"],
      axes: 2,
      writes: [{ over: [], buffer: 0, index: strided([0, 1], 0), value: load(0, "i32", flat(0, 1)) }],
    });
    // A transposed write, and a reversed one.
    await subject.check(
      kernel,
      { inputs: [count(6)], outputs: [6], sizes: [2, 3], params: [0, 1, 2] },
      { values: [[0, 3, 1, 4, 2, 5]] },
    );
    await subject.check(
      kernel,
      { inputs: [count(6)], outputs: [6], sizes: [2, 3], params: [5, -3, -1] },
      { values: [[5, 4, 3, 2, 1, 0]] },
    );
  });

  it("writes to computed places", async () => {
    const kernel = loops({
      inputs: ["f32", "i32"],
      outputs: ["f32"],
      axes: 1,
      writes: [
        { over: [], buffer: 0, index: load(1, "i32", axisIndex(0)), value: load(0, "f32", axisIndex(0)) },
      ],
    });
    const places = count(65).map((i) => (i * 8) % 65);
    const expected = new Array<number>(65);
    places.forEach((place, i) => {
      expected[place] = i + 0.5;
    });
    await subject.check(
      kernel,
      { inputs: [count(65).map((i) => i + 0.5), places], outputs: [65], sizes: [65] },
      { values: [expected] },
    );
  });

  it("loads from computed places", async () => {
    const kernel = elementwise(["i32"], (i) => load(0, "i32", i));
    // Each element names its successor: two steps along a chain.
    const chain = {
      ...kernel,
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: load(0, "i32", load(0, "i32", axisIndex(0))) },
      ],
    };
    await subject.check(
      chain,
      { inputs: [[3, 0, 4, 2, 1]], outputs: [5], sizes: [5] },
      { values: [[2, 3, 1, 4, 0]] },
    );
  });

  it("divides positions, for reshapes that strides cannot say", async () => {
    const n = c.idiv(axisIndex(0), param(0, "i32"));
    const m = c.imod(axisIndex(0), param(0, "i32"));
    const kernel = loops({
      inputs: ["f32"],
      outputs: ["f32"],
      params: ["i32", "i32"],
      axes: 1,
      writes: [
        {
          over: [],
          buffer: 0,
          index: axisIndex(0),
          value: load(0, "f32", c.add(c.mul(m, param(1, "i32")), n)),
        },
      ],
    });
    // [5, 3] transposed and flattened.
    const expected = count(15).map((p) => (p % 5) * 3 + Math.floor(p / 5));
    await subject.check(
      kernel,
      { inputs: [count(15)], outputs: [15], sizes: [15], params: [5, 3] },
      { values: [expected] },
    );
  });

  describe("guarded loads", () => {
    const at = axisIndex(0);
    const source = c.sub(at, param(0, "i32"));
    const inside = c.logicalAnd(c.greaterEqual(source, 0), c.less(source, param(1, "i32")));
    const padded = loops({
      inputs: ["f32"],
      outputs: ["f32"],
      params: ["i32", "i32"],
      axes: 1,
      writes: [{ over: [], buffer: 0, index: at, value: load(0, "f32", source, inside, -7) }],
    });

    it.each([1, 3, 5, 64, 65])("pad %i elements", async (n) => {
      const values = wholeNumbers(n);
      const expected = [-7, -7, ...values, -7, -7, -7];
      await subject.check(
        padded,
        { inputs: [values], outputs: [n + 5], sizes: [n + 5], params: [2, n] },
        { values: [expected] },
      );
    });

    it("read nothing where the guard is false everywhere", async () => {
      await subject.check(
        padded,
        { inputs: [[]], outputs: [4], sizes: [4], params: [0, 0] },
        { values: [[-7, -7, -7, -7]] },
      );
    });

    it("may have an index far outside of the buffer", async () => {
      const far = c.mul(at, 1_000_000_007);
      const kernel = loops({
        inputs: ["f32"],
        outputs: ["f32"],
        axes: 1,
        writes: [{ over: [], buffer: 0, index: at, value: load(0, "f32", far, c.equal(at, 0), inf) }],
      });
      await subject.check(
        kernel,
        { inputs: [[5]], outputs: [6], sizes: [6] },
        { values: [[5, inf, inf, inf, inf, inf]] },
      );
    });

    it("may be guarded by a number of the launch, and by data", async () => {
      const byParam = loops({
        inputs: ["i32"],
        outputs: ["i32"],
        params: ["i32"],
        axes: 1,
        writes: [
          { over: [], buffer: 0, index: at, value: load(0, "i32", at, c.greater(param(0, "i32"), 0), 9) },
        ],
      });
      await subject.check(
        byParam,
        { inputs: [[1, 2]], outputs: [2], sizes: [2], params: [1] },
        { values: [[1, 2]] },
      );
      await subject.check(
        byParam,
        { inputs: [[]], outputs: [2], sizes: [2], params: [0] },
        { values: [[9, 9]] },
      );
      const byData = elementwise(["bool", "f32"], (keep) => load(1, "f32", axisIndex(0), keep, 0.5));
      await subject.check(
        byData,
        {
          inputs: [
            [1, 0, 1],
            [1, nan, 3],
          ],
          outputs: [3],
          sizes: [3],
        },
        { values: [[1, 0.5, 3]] },
      );
    });

    it("carry fills that are not finite", async () => {
      const kernel = elementwise(["f32"], () => load(0, "f32", at, c.less(at, 1), -inf));
      await subject.check(kernel, { inputs: [[2, 2]], outputs: [2], sizes: [2] }, { values: [[2, -inf]] });
    });
  });
}

/** One reduction of numbers, by definition. */
const definitions: Record<StageReduction, (values: readonly number[], dtype: DType) => number> = {
  sum: (values, dtype) => values.reduce((a, b) => (dtype === "i32" ? (a + b) | 0 : a + b), 0),
  prod: (values, dtype) => values.reduce((a, b) => (dtype === "i32" ? Math.imul(a, b) : a * b), 1),
  max: (values, dtype) =>
    values.reduce((a, b) => Math.max(a, b), dtype === "i32" ? MIN_I32 : dtype === "bool" ? 0 : -inf),
  min: (values, dtype) =>
    values.reduce((a, b) => Math.min(a, b), dtype === "i32" ? MAX_I32 : dtype === "bool" ? 1 : inf),
  argmax: (values) => extreme(values, (a, b) => a > b),
  argmin: (values) => extreme(values, (a, b) => a < b),
};

function extreme(values: readonly number[], better: (a: number, b: number) => boolean): number {
  const firstNaN = values.findIndex(Number.isNaN);
  if (firstNaN >= 0) return firstNaN;
  let best = 0;
  values.forEach((x, i) => {
    if (better(x, values[best] as number)) best = i;
  });
  return best;
}

const operations = Object.keys(definitions) as StageReduction[];
const directions: readonly Direction[] = ["rows", "columns", "all"];

function reductions(subject: Subject): void {
  const reduce = async (
    op: StageReduction,
    dtype: DType,
    direction: Direction,
    rows: number[][],
  ): Promise<void> => {
    const kept = rows.length;
    const n = rows[0]?.length ?? 0;
    const dense =
      direction === "columns" ? count(n).flatMap((i) => rows.map((row) => row[i] as number)) : rows.flat();
    await subject.check(
      reduction(op, dtype, direction),
      { inputs: [dense], outputs: [kept], sizes: direction === "all" ? [n] : [kept, n] },
      {
        values: [rows.map((row) => definitions[op](row, dtype))],
        describe: (i) => `${op} of ${dtype} over ${direction}, row ${i} of ${n} elements`,
      },
    );
  };
  /** Whole numbers whose sums and products are exact in any order. */
  const exactRow = (op: StageReduction, n: number, seed: number): number[] =>
    op === "prod"
      ? wholeNumbers(n, 1, seed).map((x, i) => (x === 0 ? (i % 2 === 0 ? 2 : 0.5) : x))
      : wholeNumbers(n, 8, seed);

  describe.each(operations)("%s", (op) => {
    it.each(directions)("over %s of every size", async (direction) => {
      for (const n of [0, 1, 2, 3, 5, 17, 63, 64, 65, 513, 1025]) {
        for (const kept of direction === "all" ? [1] : [1, 3, 65]) {
          await reduce(
            op,
            "f32",
            direction,
            count(kept).map((row) => exactRow(op, n, row + 1)),
          );
        }
      }
    });

    it("over 65537 elements", async () => {
      await reduce(op, "f32", "all", [exactRow(op, 65537, 3)]);
      await reduce(op, "f32", "rows", [exactRow(op, 65537, 4), exactRow(op, 65537, 5)]);
    });

    it("of nothing is its identity, for many columns too", async () => {
      await reduce(
        op,
        "f32",
        "rows",
        count(5).map(() => []),
      );
      await subject.check(reduction(op, "f32", "columns"), { inputs: [[]], outputs: [0], sizes: [0, 4] });
    });

    it("of integers", async () => {
      const rows = [
        [MAX_I32, 1, MAX_I32],
        [MIN_I32, MIN_I32, -1],
        [65537, 65537, -3],
        [0, -7, 5],
      ];
      for (const direction of ["rows", "columns"] as const) await reduce(op, "i32", direction, rows);
    });

    it("of f64, if the device has it", async () => {
      await reduce(op, "f64", "rows", [
        [1, -2, 2 ** 40],
        [0.5, 0.25, 8],
      ]);
    });

    it("with NaN and infinities", async () => {
      const rows = [
        [1, nan, 3, nan],
        [nan, 1, 2, 3],
        [1, 2, 3, nan],
        [inf, 1, 2, 3],
        [1, -inf, 2, -inf],
        [-inf, -inf, -inf, -inf],
        [inf, inf, inf, inf],
        [1, inf, nan, -inf],
        [nan, nan, nan, nan],
      ];
      for (const direction of ["rows", "columns"] as const) await reduce(op, "f32", direction, rows);
      for (const row of rows) await reduce(op, "f32", "all", [row]);
      // A single NaN far from the start.
      const long = exactRow(op, 1000, 9).map((x, i) => (i === 777 ? nan : x));
      await reduce(op, "f32", "all", [long]);
    });
  });

  it.each(["max", "min"] as const)("%s of bools is any and all", async (op) => {
    await reduce(op, "bool", "rows", [
      [0, 0, 1],
      [1, 1, 1],
      [0, 0, 0],
    ]);
    await reduce(op, "bool", "all", [[]]);
  });

  it.each(["argmax", "argmin"] as const)("%s takes the first of equals", async (op) => {
    const rows = [
      [3, 3, 3, 3, 3],
      [1, 5, 5, 1, 5],
      [5, 1, 1, 5, 1],
      [0, -0, 0, -0, 0],
    ];
    for (const direction of ["rows", "columns"] as const) await reduce(op, "f32", direction, rows);
    const long = count(2000).map((i) => (i % 7 === 3 ? (op === "argmax" ? 9 : -9) : 1));
    await reduce(op, "f32", "all", [long]);
  });

  it("adds fractions to a few units", async () => {
    const values = uniformNumbers(5000);
    const total = values.reduce((a, b) => a + b, 0);
    await subject.check(
      reduction("sum", "f32", "all"),
      { inputs: [values], outputs: [1], sizes: [5000] },
      { tolerance: "sum", values: [[total]] },
    );
  });

  it("adds to the same bits each time", async () => {
    const values = uniformNumbers(65537);
    const launched = { inputs: [values], outputs: [1], sizes: [65537] };
    const kernel = reduction("sum", "f32", "all");
    const [first] = await subject.outputs(kernel, launched);
    const [second] = await subject.outputs(kernel, launched);
    expect(second).toEqual(first);
  });

  it("counts positions row-major over several axes", async () => {
    // Grid: the middle axis of [2, 3, 4]; reduced: the first and the last.
    const at = c.add(c.mul(c.add(c.mul(axisIndex(1), axisSize(0)), axisIndex(0)), axisSize(2)), axisIndex(2));
    const kernel = loops({
      inputs: ["f32"],
      outputs: ["i32", "f32"],
      axes: 3,
      grid: 1,
      stages: [
        { over: [1, 2], op: "argmax", value: load(0, "f32", at), dtype: "i32" },
        { over: [1, 2], op: "sum", value: load(0, "f32", at), dtype: "f32" },
      ],
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: stage(0, "i32") },
        { over: [], buffer: 1, index: axisIndex(0), value: stage(1, "f32") },
      ],
    });
    const values = [1, 2, 3, 4, 5, 6, 70, 8, 9, 10, 11, 12, 13, 140, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24];
    await subject.check(
      kernel,
      { inputs: [values], outputs: [3, 3], sizes: [3, 2, 4] },
      {
        values: [
          [5, 2, 7],
          [194, 163, 132],
        ],
      },
    );
  });
}

function stages(subject: Subject): void {
  it("computes softmax", async () => {
    await subject.check(
      softmax("f32"),
      { inputs: [[0, Math.log(2), Math.log(3), 5, 5, 5]], outputs: [6], sizes: [2, 3] },
      { tolerance: "kernel", values: [[1 / 6, 2 / 6, 3 / 6, 1 / 3, 1 / 3, 1 / 3]] },
    );
  });

  it.each([1, 3, 5, 10, 17, 64, 65, 127, 1000, 1025])("computes softmax of rows of %i", async (columns) => {
    for (const rows of [1, 3, 65]) {
      const n = rows * columns;
      const inputs = [uniformNumbers(n).map((x) => 20 * x)];
      await subject.check(
        softmax("f32"),
        { inputs, outputs: [n], sizes: [rows, columns] },
        { tolerance: "kernel" },
      );
    }
  });

  it("carries NaN and infinity through softmax", async () => {
    const inputs = [[1, nan, 2, -inf, 0, 0, inf, 0, 0, -inf, -inf, -inf]];
    // exp(inf - inf) is NaN, and makes its row's sum NaN.
    const values = [[nan, nan, nan, 0, 0.5, 0.5, nan, nan, nan, nan, nan, nan]];
    await subject.check(
      softmax("f32"),
      { inputs, outputs: [12], sizes: [4, 3] },
      { tolerance: "kernel", values },
    );
  });

  it("writes several outputs", async () => {
    const n = 65;
    const inputs = [1, 2, 3, 4].map((seed) => uniformNumbers(n, seed));
    inputs[3] = (inputs[3] as number[]).map(Math.abs);
    const params = [Math.fround(0.1), 0.875, 0.96875, 0.125, 0.03125];
    await subject.check(
      adam("f32"),
      { inputs, outputs: [n, n, n], sizes: [n], params },
      { tolerance: "kernel" },
    );
    // One parameter by hand: m = 0.125 * 2, v = 0.03125 * 4; both corrected to 2 and 4; the step is 0.5 * 2 / 2.
    await subject.check(
      adam("f32"),
      {
        inputs: [[1], [2], [0], [0]],
        outputs: [1, 1, 1],
        sizes: [1],
        params: [0.5, 0.875, 0.96875, 0.125, 0.03125],
      },
      { tolerance: "kernel", values: [[0.5], [0.25], [0.125]] },
    );
  });

  it("writes outputs over different axes", async () => {
    // The row's maximum, whether each element is it, and each element of a shorter axis less it.
    const x = load(0, "f32", flat(0, 1));
    const kernel = loops({
      inputs: ["f32", "f32"],
      outputs: ["f32", "bool", "f32"],
      axes: 3,
      grid: 1,
      stages: [{ over: [1], op: "max", value: x, dtype: "f32" }],
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: stage(0, "f32") },
        { over: [1], buffer: 1, index: flat(0, 1), value: c.equal(x, stage(0, "f32")) },
        {
          over: [2],
          buffer: 2,
          index: flat(0, 2),
          value: c.sub(load(1, "f32", axisIndex(2)), stage(0, "f32")),
        },
      ],
    });
    await subject.check(
      kernel,
      {
        inputs: [
          [1, 3, 3, 7, 2, 0],
          [10, 20],
        ],
        outputs: [2, 6, 4],
        sizes: [2, 3, 2],
      },
      {
        values: [
          [3, 7],
          [0, 1, 1, 1, 0, 0],
          [7, 17, 3, 13],
        ],
      },
    );
  });

  it("writes one output in two parts", async () => {
    // Each row, then its sum: [rows, columns + 1].
    const x = load(0, "f32", flat(0, 1));
    const row = c.mul(axisIndex(0), c.add(axisSize(1), 1));
    const kernel = loops({
      inputs: ["f32"],
      outputs: ["f32"],
      axes: 2,
      grid: 1,
      stages: [{ over: [1], op: "sum", value: x, dtype: "f32" }],
      writes: [
        { over: [1], buffer: 0, index: c.add(row, axisIndex(1)), value: x },
        { over: [], buffer: 0, index: c.add(row, axisSize(1)), value: stage(0, "f32") },
      ],
    });
    await subject.check(
      kernel,
      { inputs: [[1, 2, 3, 4, 5, 6]], outputs: [8], sizes: [2, 3] },
      { values: [[1, 2, 3, 6, 4, 5, 6, 15]] },
    );
  });

  it("runs stages that read stages, over axes of their own", async () => {
    // Variance in three stages: the sum, the sum of squared distances, and the count of elements above the mean.
    const x = load(0, "f32", flat(0, 1));
    const n = cast(axisSize(1), "f32");
    const mean = c.div(stage(0, "f32"), n);
    const kernel = loops({
      inputs: ["f32"],
      outputs: ["f32", "f32", "i32"],
      axes: 3,
      grid: 1,
      stages: [
        { over: [1], op: "sum", value: x, dtype: "f32" },
        { over: [1], op: "sum", value: c.square(c.sub(x, mean)), dtype: "f32" },
        { over: [1], op: "sum", value: cast(c.greater(x, mean), "i32"), dtype: "i32" },
        { over: [2], op: "max", value: c.mul(axisIndex(2), stage(2, "i32")), dtype: "i32" },
      ],
      writes: [
        { over: [], buffer: 0, index: axisIndex(0), value: mean },
        { over: [], buffer: 1, index: axisIndex(0), value: c.div(stage(1, "f32"), n) },
        { over: [], buffer: 2, index: axisIndex(0), value: stage(3, "i32") },
      ],
    });
    const inputs = [[1, 2, 3, 6, 4, 4, 4, 4]];
    await subject.check(
      kernel,
      { inputs, outputs: [2, 2, 2], sizes: [2, 4, 6] },
      {
        tolerance: "kernel",
        values: [
          [3, 4],
          [3.5, 0],
          [5, 0],
        ],
      },
    );
  });

  it("computes a row without reduced elements", async () => {
    await subject.check(softmax("f32"), { inputs: [[]], outputs: [0], sizes: [3, 0] });
    await subject.check(softmax("f32"), { inputs: [[]], outputs: [0], sizes: [0, 3] });
  });

  it("serves other sizes and numbers with one executable", async () => {
    const { device } = subject;
    const executable = device.compile(reduction("sum", "f32", "rows"), [4, 4]);
    for (const [rows, columns] of [
      [1, 1],
      [3, 70],
      [200, 2],
      [5, 0],
      [0, 5],
      [2, 1030],
    ] as const) {
      const values = wholeNumbers(rows * columns, 8, rows);
      const [source, target] = [subject.buffer("f32", values), subject.room("f32", rows)];
      device.run([{ executable, buffers: [source, target], sizes: [rows, columns], params: [] }]);
      const sums = count(rows).map((i) =>
        values.slice(i * columns, (i + 1) * columns).reduce((a, b) => a + b, 0),
      );
      expect(await subject.values("f32", target)).toEqual(sums);
    }
  });
}
