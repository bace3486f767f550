import {
  axisIndex,
  type ContractKernel,
  calculus as c,
  cast,
  castNumber,
  constant,
  type DType,
  type Expr,
  halfValue,
  type Kernel,
  load,
  param,
  type StageReduction,
  stage,
} from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { expectCode, expectRejection } from "./expect-code.js";
import { copyStrided, elementwise, flat, loops, strided } from "./kernels.js";
import type { Subject } from "./subject.js";
import { count, edgeSizes, uniformNumbers, wholeNumbers } from "./values.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Every number of f16, NaN once; one more element than fits two to a word. */
const everyHalf = [...count(65536).map(halfValue), 1];

/** Halfway between neighbours of f16, and as little beside it as f32 allows, over all binades. */
const besideHalves = count(31 * 64).flatMap((i) => {
  const bits = Math.floor((i * 31743) / (31 * 64));
  const middle = (halfValue(bits) + halfValue(bits + 1)) / 2;
  return [middle, middle * (1 - 2 ** -23), middle * (1 + 2 ** -23), -middle].map(Math.fround);
});

/** Where f16 ends: the greatest number and what is rounded to it or beyond, the least and what is rounded to it or to 0. */
const edges: readonly number[] = [
  ...[65504, 65519.99609375, 65520, -65520, 65535, 1e30, inf, -inf, nan, 0, -0],
  ...[2 ** -14, 1023.5 * 2 ** -24, 1023 * 2 ** -24, 2 ** -24, 2 ** -25, 2 ** -25 + 2 ** -40, 3 * 2 ** -25],
  ...[2 ** -26, 1e-20, 2049, 2051, 4098, 4102, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 0.1, -0.1, 1 / 3],
];

const narrow = (x: Expr): Expr => cast(x, "f16");
const wide = (x: Expr): Expr => cast(x, "f32");
const rounded = (values: readonly number[]): number[] => values.map((x) => castNumber(x, "f16"));

/** f16, where a device has it: elements of two bytes, computed with in f32 and rounded once. Elsewhere it is refused. */
export function halfStorage(subject: Subject): void {
  /** Checks a kernel on a device that has f16, and that it is refused on one that has not. */
  const check: Subject["check"] = (kernel, launched, expectation) =>
    subject.check(kernel, launched, expectation);
  const ifStored = (test: () => Promise<void>) => async (): Promise<void> => {
    if (subject.supports("f16")) await test();
    else expectCode(() => tensor([1], { dtype: "f16", device: subject.device }), "unsupported");
  };

  describe("memory", () => memory(subject, ifStored));
  describe("casts", () => casts(check));
  describe("kernels", () => kernels(check));
  it("takes operands of a contraction in it, summed in f32", async () => {
    for (const [m, n, k] of [
      ...([1, 3, 5, 17].flatMap((a) => [1, 4, 33].map((b) => [a, b, 7])) as [number, number, number][]),
      [64, 64, 64],
      [65, 33, 129],
      [128, 96, 40],
      [3, 2, 5000],
    ] as const) {
      const [a, b] = [wholeNumbers(m * k, 4, 1), wholeNumbers(k * n, 4, 2)];
      const sums = count(m * n).map((at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        return count(k).reduce((sum, q) => sum + (a[i * k + q] as number) * (b[q * n + j] as number), 0);
      });
      const launched = { inputs: [a, b], sizes: [1, m, n, k], params: [0, 0, k, 1, 0, 0, n, 1] };
      await check(product("f16"), { ...launched, outputs: [m * n] }, { values: [rounded(sums)] });
      // More than f16 can hold on the way: the sum is f32.
      await check(product("f32"), { ...launched, outputs: [m * n] }, { values: [sums] });
    }
  });

  it("takes operands of a contraction in it, of any numbers", async () => {
    const [m, n, k] = [37, 21, 50];
    const [a, b] = [rounded(uniformNumbers(m * k, 1)), rounded(uniformNumbers(k * n, 2))];
    await check(
      product("f32"),
      { inputs: [a, b], outputs: [m * n], sizes: [1, m, n, k], params: [0, 0, k, 1, 0, 0, n, 1] },
      { tolerance: "contract" },
    );
  });

  it("is for storage: it is not computed with", () => {
    const at = axisIndex(0);
    const x = load(0, "f16", at);
    const copy = elementwise(["f16"], (value) => value);
    const sum: Kernel = {
      ...copy,
      axes: 2,
      grid: 1,
      stages: [{ over: [1], op: "sum", value: load(0, "f16", flat(0, 1)), dtype: "f16" }],
    };
    for (const kernel of [
      elementwise(["f16", "f16"], c.add),
      elementwise(["f16", "f16"], c.less),
      elementwise(["bool", "f16"], (keep, value) => c.where(keep, value, value)),
      { ...copy, params: ["f16" as const] },
      sum,
      { ...product("f16"), accumulate: "f16" as const },
      {
        ...product("f16"),
        a: load(0, "f16", strided([0, 1, 3], 0)),
        b: load(1, "f16", strided([0, 3, 2], 4)),
      },
      {
        ...copy,
        writes: [
          { over: [], buffer: 0, index: at, value: { kind: "op", op: "neg", args: [x], dtype: "f16" } },
        ],
      },
    ] as Kernel[]) {
      expectCode(() => subject.device.compile(kernel), "kernel-invalid");
    }
  });
}

/** A product of f16 operands, written as f16 or as the f32 that it is summed in. */
function product(out: DType): ContractKernel {
  return {
    kind: "contract",
    name: "matmul of f16",
    inputs: ["f16", "f16"],
    outputs: [out],
    params: new Array<DType>(8).fill("i32"),
    groups: { batch: 1, m: 1, n: 1, k: 1 },
    a: wide(load(0, "f16", strided([0, 1, 3], 0))),
    b: wide(load(1, "f16", strided([0, 3, 2], 4))),
    accumulate: "f32",
    writes: [{ buffer: 0, index: flat(0, 1, 2), value: cast(stage(0, "f32"), out) }],
  };
}

function memory(subject: Subject, ifStored: (test: () => Promise<void>) => () => Promise<void>): void {
  for (const n of edgeSizes) {
    it(
      `reads back ${n} elements of two bytes`,
      ifStored(async () => {
        const values = wholeNumbers(n, 2000);
        const buffer = subject.buffer("f16", values);
        expect(buffer.bytes).toBe(2 * n);
        expect(await subject.values("f16", buffer)).toEqual(values);
      }),
    );
  }

  it(
    "writes and reads parts that begin and end within a word",
    ifStored(async () => {
      const { device } = subject;
      const buffer = subject.buffer("f16", count(9));
      device.write(buffer, new Uint16Array([0x3c00]), 2 * 3);
      device.write(buffer, new Uint16Array([0x4000, 0x4000, 0x4000]), 2 * 5);
      expect(await subject.values("f16", buffer)).toEqual([0, 1, 2, 1, 4, 2, 2, 2, 8]);
      expect([...new Uint16Array(await device.read(buffer, 2 * 5, 2 * 3))]).toEqual([0x4000, 0x4000, 0x4000]);
      expect([...new Uint16Array(await device.read(buffer, 2 * 8))]).toEqual([0x4800]);
      expectCode(() => device.write(buffer, new Uint16Array(2), 2 * 8), "invalid-argument");
      await expectRejection(async () => device.read(buffer, 2 * 8, 4), "invalid-argument");
    }),
  );
}

function casts(check: Subject["check"]): void {
  it("to f32 are exact, of every number", async () => {
    await check(
      elementwise(["f16"], wide),
      { inputs: [everyHalf], outputs: [everyHalf.length], sizes: [everyHalf.length] },
      { values: [everyHalf] },
    );
  });

  it.each([
    ["of every number, there and back", everyHalf],
    ["between numbers", besideHalves],
    ["at the ends", edges],
  ])("from f32 round to the nearest, ties to even: %s", async (_, values) => {
    const n = values.length;
    const launched = { inputs: [values], outputs: [n], sizes: [n] };
    await check(elementwise(["f32"], narrow), launched, { values: [rounded(values)] });
  });

  it("are not left out, there and back", async () => {
    const there = edges.map((x) => x / 2);
    const n = edges.length;
    // On a device that has it: the kernel's buffers do not show that it is used.
    const kernel = loops({
      inputs: ["f32"],
      outputs: ["f32", "f16"],
      axes: 1,
      writes: [
        wide(narrow(c.mul(load(0, "f32", axisIndex(0)), 0.5))),
        narrow(load(0, "f32", axisIndex(0))),
      ].map((value, buffer) => ({ over: [], buffer, index: axisIndex(0), value })),
    });
    await check(
      kernel,
      { inputs: [edges], outputs: [n, n], sizes: [n] },
      { values: [rounded(there), rounded(edges)] },
    );
  });

  it.each([
    ["i32", [0, 1, -1, 2047, 2049, 2051, 65519, 65520, -65520, 2147483647, -2147483648]],
    ["bool", [0, 1]],
  ] as const)("from %s round too", async (dtype, values) => {
    const n = values.length;
    await check(
      elementwise([dtype], narrow),
      { inputs: [values], outputs: [n], sizes: [n] },
      { values: [rounded(values)] },
    );
  });

  it("to whole numbers and to bool are those of f32", async () => {
    const values = [0, -0, 0.5, -0.5, 1.9, -1.9, 65504, inf, -inf, nan, 2 ** -24];
    const n = values.length;
    await check(
      elementwise(["f16"], (x) => cast(x, "i32")),
      { inputs: [values], outputs: [n], sizes: [n] },
      { values: [[0, 0, 0, 0, 1, -1, 65504, 2147483647, -2147483648, 0, 0]] },
    );
    await check(
      elementwise(["f16"], (x) => cast(x, "bool")),
      { inputs: [values], outputs: [n], sizes: [n] },
      { values: [[0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]] },
    );
  });

  it("of constants and numbers of the launch", async () => {
    const kernel = loops({
      outputs: ["f16", "f16"],
      params: ["f32"],
      axes: 1,
      writes: [narrow(param(0, "f32")), constant(0.1, "f16")].map((value, buffer) => ({
        over: [],
        buffer,
        index: axisIndex(0),
        value,
      })),
    });
    const [third, tenth] = rounded([1 / 3, 0.1]);
    await check(
      kernel,
      { outputs: [3, 3], sizes: [3], params: [1 / 3] },
      { values: [new Array(3).fill(third), new Array(3).fill(tenth)] },
    );
  });
}

function kernels(check: Subject["check"]): void {
  it.each(edgeSizes)("add %i elements", async (n) => {
    const [a, b] = [rounded(uniformNumbers(n, 1)), rounded(uniformNumbers(n, 2))];
    await check(
      elementwise(["f16", "f16"], (x, y) => narrow(c.add(wide(x), wide(y)))),
      { inputs: [a, b], outputs: [n], sizes: [n] },
      { values: [a.map((x, i) => castNumber(Math.fround(x + (b[i] as number)), "f16"))] },
    );
  });

  it.each(edgeSizes)("write %i elements beside ones of other dtypes", async (n) => {
    const values = wholeNumbers(n, 2000);
    const x = wide(load(0, "f16", axisIndex(0)));
    const kernel = loops({
      inputs: ["f16"],
      outputs: ["f16", "f32", "bool"],
      axes: 1,
      writes: [narrow(c.mul(x, 2)), c.mul(x, 3), c.greater(x, 0)].map((value, buffer) => ({
        over: [],
        buffer,
        index: axisIndex(0),
        value,
      })),
    });
    await check(
      kernel,
      { inputs: [values], outputs: [n, n, n], sizes: [n] },
      {
        values: [
          rounded(values.map((v) => 2 * v)),
          values.map((v) => 3 * v),
          values.map((v) => Number(v > 0)),
        ],
      },
    );
  });

  it("walk strides and offsets", async () => {
    const values = wholeNumbers(60, 2000);
    await check(
      copyStrided("f16", 2),
      { inputs: [values], outputs: [35], sizes: [7, 5], params: [3, 1, 7] },
      { values: [count(35).map((i) => values[3 + Math.floor(i / 5) + 7 * (i % 5)] as number)] },
    );
    await check(
      copyStrided("f16", 1),
      { inputs: [values], outputs: [29], sizes: [29], params: [57, -2] },
      { values: [count(29).map((i) => values[57 - 2 * i] as number)] },
    );
  });

  it.each([1, 3, 5, 65])("pad %i elements", async (n) => {
    const source = c.sub(axisIndex(0), param(0, "i32"));
    const inside = c.logicalAnd(c.greaterEqual(source, 0), c.less(source, param(1, "i32")));
    const kernel = loops({
      inputs: ["f16"],
      outputs: ["f16"],
      params: ["i32", "i32"],
      axes: 1,
      writes: [{ over: [], buffer: 0, index: axisIndex(0), value: load(0, "f16", source, inside, -inf) }],
    });
    const values = wholeNumbers(n);
    await check(
      kernel,
      { inputs: [values], outputs: [n + 5], sizes: [n + 5], params: [2, n] },
      { values: [[-inf, -inf, ...values, -inf, -inf, -inf]] },
    );
  });

  it.each([
    ["sum", 1],
    ["max", 1],
    ["sum", 3],
    ["sum", 1000],
    ["max", 1000],
    ["min", 777],
  ] as const)("reduce rows in f32: the %s of %i elements", async (op: StageReduction, n) => {
    const rows = 5;
    const values = wholeNumbers(rows * n, 100);
    const combine = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min }[op as "sum"];
    const expected = count(rows).map((r) => values.slice(r * n, r * n + n).reduce((a, b) => combine(a, b)));
    const kernel = loops({
      inputs: ["f16"],
      outputs: ["f16"],
      axes: 2,
      grid: 1,
      stages: [{ over: [1], op, value: wide(load(0, "f16", flat(0, 1))), dtype: "f32" }],
      writes: [{ over: [], buffer: 0, index: axisIndex(0), value: narrow(stage(0, "f32")) }],
    });
    await check(
      kernel,
      { inputs: [values], outputs: [rows], sizes: [rows, n] },
      { values: [rounded(expected)] },
    );
  });

  it.each([64, 65])("write rows of %i elements", async (n) => {
    const rows = 7;
    const values = wholeNumbers(rows * n, 30);
    const x = wide(load(0, "f16", flat(0, 1)));
    const kernel = loops({
      inputs: ["f16"],
      outputs: ["f16"],
      axes: 2,
      grid: 1,
      stages: [{ over: [1], op: "max", value: x, dtype: "f32" }],
      writes: [{ over: [1], buffer: 0, index: flat(0, 1), value: narrow(c.sub(x, stage(0, "f32"))) }],
    });
    const greatest = count(rows).map((r) => Math.max(...values.slice(r * n, r * n + n)));
    await check(
      kernel,
      { inputs: [values], outputs: [rows * n], sizes: [rows, n] },
      { values: [values.map((v, i) => v - (greatest[Math.floor(i / n)] as number))] },
    );
  });
}
