import type { Cumulation, DType, NativeKernel, Scattering } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { expectRejection } from "./expect-code.js";
import type { Subject } from "./subject.js";
import { count, MAX_I32, MIN_I32, uniformNumbers, wholeNumbers } from "./values.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Natives: each against its definition. */
export function nativeKernels(subject: Subject): void {
  describe("scatterAdd", () => scatterAdd(subject));
  describe("scatterRows", () => scatterRows(subject));
  describe("argsort", () => argsort(subject));
  describe("cumulate", () => cumulate(subject));
}

function scatterAddKernel(dtype: DType, axis: number): NativeKernel {
  return {
    kind: "native",
    native: "scatterAdd",
    name: "scatterAdd",
    inputs: [dtype, "i32", dtype],
    outputs: [dtype],
    params: [],
    attrs: { axis },
  };
}

function scatterRowsKernel(dtype: DType, op: Scattering, full = false): NativeKernel {
  return {
    kind: "native",
    native: "scatterRows",
    name: "scatterRows",
    inputs: [dtype, "i32", dtype],
    outputs: [dtype],
    params: [],
    attrs: { op, full },
  };
}

function scatterRows(subject: Subject): void {
  it("adds whole rows, also several times, in each of the outer parts", async () => {
    await subject.check(
      scatterRowsKernel("f32", "sum"),
      {
        // base [2, 2, 2], index [3], source [2, 3, 2]
        inputs: [
          [0, 0, 10, 10, 20, 20, 30, 30],
          [1, 1, 0],
          [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        ],
        outputs: [8],
        sizes: [2, 2, 3, 2],
      },
      { values: [[5, 6, 14, 16, 31, 32, 46, 48]] },
    );
  });

  it("takes an index for each element", async () => {
    await subject.check(
      scatterRowsKernel("f32", "sum", true),
      {
        // base [1, 3, 2], index and source [1, 2, 2]: out[index[i][j]][j] += source[i][j]
        inputs: [
          [0, 0, 0, 0, 0, 0],
          [2, 0, 2, 1],
          [1, 2, 3, 4],
        ],
        outputs: [6],
        sizes: [1, 3, 2, 2],
      },
      { values: [[0, 2, 0, 4, 4, 0]] },
    );
  });

  it("multiplies, chooses and replaces", async () => {
    const inputs = [
      [2, 3, 4],
      [0, 0, 2],
      [5, -7, nan],
    ];
    const run = (op: Scattering, values: number[]): Promise<void> =>
      subject.check(
        scatterRowsKernel("f32", op),
        { inputs, outputs: [3], sizes: [1, 3, 3, 1] },
        { values: [values] },
      );
    await run("prod", [-70, 3, nan]);
    await run("max", [5, 3, nan]);
    await run("min", [-7, 3, nan]);
    await run("set", [-7, 3, nan]);
  });

  it("wraps integers, and replaces bool", async () => {
    await subject.check(
      scatterRowsKernel("i32", "sum"),
      { inputs: [[MAX_I32], [0], [1]], outputs: [1], sizes: [1, 1, 1, 1] },
      { values: [[MIN_I32]] },
    );
    await subject.check(
      scatterRowsKernel("bool", "set"),
      { inputs: [[1, 0], [0], [0]], outputs: [2], sizes: [1, 2, 1, 1] },
      { values: [[0, 0]] },
    );
  });

  it("copies its base if there is nothing to join", async () => {
    await subject.check(
      scatterRowsKernel("f32", "sum"),
      { inputs: [[1, 2, 3, 4], [], []], outputs: [4], sizes: [1, 2, 0, 2] },
      { values: [[1, 2, 3, 4]] },
    );
  });
}

function scatterAdd(subject: Subject): void {
  it("adds where the index says, also several times", async () => {
    await subject.check(
      scatterAddKernel("f32", 0),
      {
        inputs: [
          [10, 20, 30],
          [2, 0, 2, 2],
          [1, 2, 4, 8],
        ],
        outputs: [3],
        sizes: [3, 4],
      },
      { values: [[12, 20, 43]] },
    );
  });

  it("works along either axis of a matrix, with a smaller index", async () => {
    const base = [0, 0, 0, 0, 0, 0];
    // out[index[i][j]][j] += source[i][j]
    await subject.check(
      scatterAddKernel("f32", 0),
      { inputs: [base, [1, 0], [5, 6]], outputs: [6], sizes: [2, 3, 1, 2] },
      { values: [[0, 6, 0, 5, 0, 0]] },
    );
    // out[i][index[i][j]] += source[i][j]
    await subject.check(
      scatterAddKernel("f32", 1),
      { inputs: [base, [2, 2, 0, 1], [1, 2, 3, 4]], outputs: [6], sizes: [2, 3, 2, 2] },
      { values: [[0, 0, 3, 3, 4, 0]] },
    );
  });

  it("adds integers, which wrap, and f64", async () => {
    await subject.check(
      scatterAddKernel("i32", 0),
      {
        inputs: [
          [MAX_I32, MIN_I32],
          [0, 1],
          [1, -1],
        ],
        outputs: [2],
        sizes: [2, 2],
      },
      { values: [[MIN_I32, MAX_I32]] },
    );
    await subject.check(
      scatterAddKernel("f64", 0),
      {
        inputs: [
          [1, 0],
          [0, 0],
          [2 ** -40, 2 ** -41],
        ],
        outputs: [2],
        sizes: [2, 2],
      },
      { values: [[1 + 2 ** -40 + 2 ** -41, 0]] },
    );
  });

  it("carries NaN and infinity", async () => {
    await subject.check(
      scatterAddKernel("f32", 0),
      {
        inputs: [
          [1, 2, inf],
          [0, 1, 2],
          [nan, -inf, -inf],
        ],
        outputs: [3],
        sizes: [3, 3],
      },
      { values: [[nan, -inf, nan]] },
    );
  });

  it("copies its base if there is nothing to add", async () => {
    await subject.check(
      scatterAddKernel("f32", 0),
      { inputs: [[1, 2, 3], [], []], outputs: [3], sizes: [3, 0] },
      { values: [[1, 2, 3]] },
    );
  });

  it("adds many", async () => {
    const [size, n] = [257, 65537];
    const index = count(n).map((i) => (i * 31) % size);
    const source = wholeNumbers(n);
    const expected = new Array<number>(size).fill(0);
    index.forEach((at, i) => {
      expected[at] = (expected[at] as number) + (source[i] as number);
    });
    await subject.check(
      scatterAddKernel("f32", 0),
      { inputs: [new Array(size).fill(0), index, source], outputs: [size], sizes: [size, n] },
      { values: [expected] },
    );
  });

  it("gives the same bits each time, though it adds fractions", async () => {
    const n = 5000;
    const launched = {
      inputs: [[0, 0, 0], count(n).map((i) => i % 3), uniformNumbers(n)],
      outputs: [3],
      sizes: [3, n],
    };
    const [first] = await subject.outputs(scatterAddKernel("f32", 0), launched);
    const [second] = await subject.outputs(scatterAddKernel("f32", 0), launched);
    expect(second).toEqual(first);
  });

  it("adds nothing at an index out of range, and fails the next read", async () => {
    const { device } = subject;
    const executable = device.compile(scatterAddKernel("f32", 0));
    for (const bad of [3, -1, MAX_I32, MIN_I32]) {
      const buffers = [
        subject.buffer("f32", [1, 2, 3]),
        subject.buffer("i32", [0, bad, 2]),
        subject.buffer("f32", [10, 20, 30]),
        subject.room("f32", 3),
      ];
      device.run([{ executable, buffers, sizes: [3, 3], params: [] }]);
      const out = buffers[3] as (typeof buffers)[0];
      await expectRejection(() => device.read(out), "index-out-of-range");
      expect(await subject.values("f32", out)).toEqual([11, 2, 33]);
    }
  });
}

function argsort(subject: Subject): void {
  const check = async (dtype: DType, rows: readonly number[][], descending: boolean): Promise<void> => {
    const n = rows[0]?.length ?? 0;
    const kernel: NativeKernel = {
      kind: "native",
      native: "argsort",
      name: "argsort",
      inputs: [dtype],
      outputs: ["i32"],
      params: [],
      attrs: { descending },
    };
    const expected = rows.flatMap((row) => order(row, descending));
    await subject.check(
      kernel,
      { inputs: [rows.flat()], outputs: [expected.length], sizes: [rows.length, n] },
      { values: [expected] },
    );
  };

  describe.each([false, true])("descending: %s", (descending) => {
    it.each([0, 1, 2, 3, 5, 64, 65, 1000])("sorts rows of %i", async (n) => {
      await check("f32", [uniformNumbers(n, 1), uniformNumbers(n, 2), uniformNumbers(n, 3)], descending);
    });

    it("keeps equals in order", async () => {
      await check("f32", [[1, 0, 1, 0, 1], [0, -0, 0, -0, 0], wholeNumbers(5, 1)], descending);
      await check("f32", [wholeNumbers(777, 3)], descending);
    });

    it("puts NaN behind everything, or before it", async () => {
      await check(
        "f32",
        [
          [nan, 1, -inf, nan, inf],
          [nan, nan, nan, nan, nan],
        ],
        descending,
      );
    });

    it("sorts integers, bools and f64", async () => {
      await check("i32", [[3, MIN_I32, MAX_I32, 0, -1]], descending);
      await check("bool", [[1, 0, 1, 0]], descending);
      await check("f64", [[2 ** -40, 0, 1e300, -1e300]], descending);
    });
  });

  it("sorts by hand", async () => {
    const kernel: NativeKernel = {
      kind: "native",
      native: "argsort",
      name: "argsort",
      inputs: ["f32"],
      outputs: ["i32"],
      params: [],
      attrs: { descending: false },
    };
    await subject.check(
      kernel,
      { inputs: [[3, 1, 2, 0.5, nan, -1]], outputs: [6], sizes: [2, 3] },
      { values: [[1, 2, 0, 2, 0, 1]] },
    );
  });
}

/** The stable order of a row; NaN is greater than everything. */
function order(row: readonly number[], descending: boolean): number[] {
  const sign = descending ? -1 : 1;
  const compare = (a: number, b: number): number => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return a === b ? 0 : a < b ? -1 : 1;
  };
  return count(row.length).sort((i, j) => sign * compare(row[i] as number, row[j] as number) || i - j);
}

function cumulate(subject: Subject): void {
  const check = async (
    op: Cumulation,
    dtype: DType,
    values: readonly number[],
    sizes: readonly number[],
    expected: readonly number[],
  ): Promise<void> => {
    const kernel: NativeKernel = {
      kind: "native",
      native: "cumulate",
      name: `cumulate ${op}`,
      inputs: [dtype],
      outputs: [op === "argmax" || op === "argmin" ? "i32" : dtype],
      params: [],
      attrs: { op },
    };
    const tolerance = op === "logsumexp" ? "logaddexp" : undefined;
    await subject.check(
      kernel,
      { inputs: [values], outputs: [values.length], sizes },
      { values: [expected], ...(tolerance && { tolerance }) },
    );
  };

  it("adds and multiplies up to each position of the middle axis", async () => {
    await check("sum", "f32", [1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2], [1, 2, 4, 6, 5, 6, 12, 14]);
    await check("prod", "f64", [2, 3, 0, nan, 5, 6], [2, 3, 1], [2, 6, 0, nan, nan, nan]);
    await check("sum", "f32", [], [2, 0, 3], []);
  });

  it.each([1, 63, 64, 65, 4097])("adds up %i whole numbers", async (n) => {
    const values = wholeNumbers(n);
    let total = 0;
    const expected = values.map((value) => {
      total += value;
      return total;
    });
    await check("sum", "f32", values, [1, n, 1], expected);
  });

  it("wraps integers", async () => {
    await check("sum", "i32", [MAX_I32, 1, -1], [1, 3, 1], [MAX_I32, MIN_I32, MAX_I32]);
    await check("prod", "i32", [65537, 65537], [1, 2, 1], [65537, 131073]);
  });

  it("adds in the log domain", async () => {
    const expected = [-inf, 900, 900 + Math.LN2, inf];
    await check("logsumexp", "f32", [-inf, 900, 900, inf], [1, 4, 1], expected);
  });

  it("names the last extreme so far, and a NaN from where it is", async () => {
    await check("argmax", "f32", [1, 3, 3, 2, nan, 9, nan], [1, 7, 1], [0, 1, 2, 2, 4, 4, 6]);
    await check("argmin", "f32", [2, 2, 3, 1, nan, 0], [1, 6, 1], [0, 1, 1, 3, 4, 4]);
    await check("argmax", "i32", [MIN_I32, 0, 0, -1], [2, 2, 1], [0, 1, 0, 0]);
    await check("argmin", "bool", [1, 0, 0, 1], [1, 4, 1], [0, 1, 2, 2]);
  });
}
