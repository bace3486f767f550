import { describe, expect, it } from "vitest";
import type { DType, TypedArray } from "../../dtype.js";
import { isGradusError } from "../../errors.js";
import type { NativeKernel } from "../../ir/kernel.js";
import { interpreter } from "../interpreter.js";
import { download, runKernel, upload } from "../run-kernel.fixture.js";

function scatterAdd(axis: number): NativeKernel {
  return {
    kind: "native",
    native: "scatterAdd",
    name: "scatter",
    inputs: ["f32", "i32", "f32"],
    outputs: ["f32"],
    params: [],
    attrs: { axis },
  };
}

describe("scatterAdd", () => {
  it("adds along axis 0", () => {
    const [out] = runKernel(scatterAdd(0), {
      inputs: [
        [0, 0, 0, 1, 1, 1],
        [1, 0, 1, 1, 1, 1],
        [1, 2, 3, 4, 5, 6],
      ],
      outputs: [6],
      sizes: [2, 3, 2, 3],
    });
    expect(out).toEqual([0, 2, 0, 6, 6, 10]);
  });

  it("adds along the last axis, with an index smaller than the base", () => {
    // base [2, 3]; index [1, 4]: only the first row, four times.
    const [out] = runKernel(scatterAdd(1), {
      inputs: [
        [0, 0, 0, 9, 9, 9],
        [2, 2, 0, 2],
        [1, 2, 3, 4],
      ],
      outputs: [6],
      sizes: [2, 3, 1, 4],
    });
    expect(out).toEqual([3, 0, 7, 9, 9, 9]);
  });

  it("does not overwrite its base", () => {
    const device = interpreter();
    const base = upload(device, "f32", [1, 2, 3]);
    const [index, source] = [upload(device, "i32", [0, 0]), upload(device, "f32", [10, 20])];
    const executable = device.compile(scatterAdd(0));
    const launch = { executable, buffers: [base, index, source, base], sizes: [3, 2], params: [] };
    expect(() => device.run([launch])).toThrow("output 0 is in the buffer of input 0");
  });

  it("drops an index out of range and reports it at the next read", () => {
    const device = interpreter();
    const buffers = [
      upload(device, "f32", [0, 0]),
      upload(device, "i32", [0, 2, -1, 1]),
      upload(device, "f32", [1, 2, 3, 4]),
      device.alloc(8),
    ];
    device.run([{ executable: device.compile(scatterAdd(0)), buffers, sizes: [2, 4], params: [] }]);
    const out = buffers[3] as (typeof buffers)[number];
    expect(() => download(device, "f32", out)).toThrow(
      'kernel "scatter": scatterAdd: index 2 is out of range for axis 0 with 2 elements',
    );
    expect(download(device, "f32", out)).toEqual([1, 4]);
  });

  it("rejects buffers that are too small and shapes that do not fit", () => {
    const inputs = [
      [0, 0],
      [0, 1],
      [1, 2],
    ];
    const run = (sizes: number[]) => () => runKernel(scatterAdd(0), { inputs, outputs: [2], sizes });
    expect(run([3, 2])).toThrow('kernel "scatter": buffer 0 has 2 elements, but 3 are needed');
    expect(run([2, 2, 2])).toThrow("scatterAdd along axis 0 with sizes [2, 2, 2]");
    expect(run([2, 1, 1, 2])).toThrow("the index's shape [1, 2] exceeds the base's [2, 1] at axis 1");
  });
});

describe("argsort", () => {
  const kernel = (descending: boolean): NativeKernel => ({
    kind: "native",
    native: "argsort",
    name: "sort",
    inputs: ["f64"],
    outputs: ["i32"],
    params: [],
    attrs: { descending },
  });
  const x = [3, 1, Number.NaN, 1, -0, 0, Infinity, -Infinity];

  it("sorts ascending: stable, NaN last", () => {
    const [out] = runKernel(kernel(false), { inputs: [x], outputs: [8], sizes: [1, 8] });
    expect(out).toEqual([7, 4, 5, 1, 3, 0, 6, 2]);
  });

  it("sorts descending: stable, NaN first", () => {
    const [out] = runKernel(kernel(true), { inputs: [x], outputs: [8], sizes: [1, 8] });
    expect(out).toEqual([2, 6, 0, 1, 3, 4, 5, 7]);
  });

  it("sorts each row for itself", () => {
    const [out] = runKernel(kernel(false), { inputs: [[3, 1, 2, 0, 5, 4]], outputs: [6], sizes: [2, 3] });
    expect(out).toEqual([1, 2, 0, 0, 2, 1]);
  });

  it("takes sizes [rows, n] only", () => {
    try {
      runKernel(kernel(false), { inputs: [[1]], outputs: [1], sizes: [1] });
      expect.unreachable();
    } catch (error) {
      expect(isGradusError(error, "kernel-invalid")).toBe(true);
    }
  });
});

describe("cumulate", () => {
  const { NaN: nan } = Number;
  const run = (op: string, dtype: DType, values: readonly number[], sizes: readonly number[]): number[] => {
    const outputs: DType[] = [op.startsWith("arg") ? "i32" : dtype];
    const kernel: NativeKernel = {
      kind: "native",
      native: "cumulate",
      name: "running",
      inputs: [dtype],
      outputs,
      params: [],
      attrs: { op },
    };
    return runKernel(kernel, { inputs: [values], outputs: [values.length], sizes })[0] as number[];
  };

  it("adds up along the middle axis, each of the others for itself", () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    expect(run("sum", "f32", values, [2, 3, 2])).toEqual([1, 2, 4, 6, 9, 12, 7, 8, 16, 18, 27, 30]);
  });

  it("multiplies", () => {
    expect(run("prod", "f64", [2, 3, 0, 5], [1, 4, 1])).toEqual([2, 6, 0, 0]);
  });

  it("wraps integers", () => {
    expect(run("sum", "i32", [2147483647, 1], [1, 2, 1])).toEqual([2147483647, -2147483648]);
    expect(run("prod", "i32", [65537, 65537], [1, 2, 1])).toEqual([65537, 131073]);
  });

  it("adds in the log domain", () => {
    const [first, second, third] = run("logsumexp", "f64", [-Infinity, 1000, 1000], [1, 3, 1]);
    expect([first, second]).toEqual([-Infinity, 1000]);
    expect(third).toBeCloseTo(1000 + Math.LN2, 12);
  });

  it("names the last extreme so far; a NaN stays", () => {
    expect(run("argmax", "f32", [1, 3, 3, 2, nan, 9], [1, 6, 1])).toEqual([0, 1, 2, 2, 4, 4]);
    expect(run("argmin", "f32", [2, 2, 3, 1, nan, 0], [1, 6, 1])).toEqual([0, 1, 1, 3, 4, 4]);
    expect(run("argmax", "bool", [0, 1, 0], [1, 3, 1])).toEqual([0, 1, 1]);
  });

  it("takes sizes [outer, n, inner] only, empty ones too", () => {
    expect(() => run("sum", "f32", [1], [1])).toThrow("cumulate takes the sizes [outer, n, inner], got [1]");
    expect(run("sum", "f32", [], [3, 0, 2])).toEqual([]);
  });
});

describe("scatterRows", () => {
  const kernel: NativeKernel = {
    kind: "native",
    native: "scatterRows",
    name: "rows",
    inputs: ["f32", "i32", "f32"],
    outputs: ["f32"],
    params: [],
    attrs: { op: "sum", full: false },
  };

  it("adds rows where the index says", () => {
    const inputs = [
      [0, 0, 10, 10],
      [1, 1],
      [1, 2, 3, 4],
    ];
    expect(runKernel(kernel, { inputs, outputs: [4], sizes: [1, 2, 2, 2] })).toEqual([[0, 0, 14, 16]]);
  });

  it("drops an index out of range and reports it at the next read", () => {
    const inputs = [[0, 0], [2], [1]];
    expect(() => runKernel(kernel, { inputs, outputs: [2], sizes: [1, 2, 1, 1] })).toThrow(
      'kernel "rows": index 2 is out of range for an axis with 2 elements',
    );
  });

  it("takes sizes [outer, n, k, inner] only", () => {
    expect(() => runKernel(kernel, { inputs: [[1], [0], [1]], outputs: [1], sizes: [1] })).toThrow(
      "scatterRows takes the sizes [outer, n, k, inner], got [1]",
    );
  });
});

describe("host", () => {
  const kernel = (problem?: string): NativeKernel => ({
    kind: "native",
    native: "host",
    name: "twice",
    inputs: ["f64"],
    outputs: ["f64"],
    params: [],
    attrs: {},
    host: ([x, y], [n]) => {
      for (let i = 0; i < (n as number); i++) (y as TypedArray)[i] = 2 * ((x as TypedArray)[i] as number);
      return problem;
    },
  });

  it("computes what the kernel brings", () => {
    expect(runKernel(kernel(), { inputs: [[1, 2]], outputs: [2], sizes: [2] })).toEqual([[2, 4]]);
  });

  it("fails the launch with what the function says", () => {
    expect(() => runKernel(kernel("no"), { inputs: [[1]], outputs: [1], sizes: [1] })).toThrow("no");
  });
});
