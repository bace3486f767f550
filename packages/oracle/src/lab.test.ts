import { expect, it } from "vitest";
import { Lab } from "./lab.js";
import type { GoldenTensor } from "./schema/values.js";

const lab = new Lab(false, {});
const base: GoldenTensor = { dtype: "float64", shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };

it("makes tensors of every dtype", () => {
  const of = (dtype: GoldenTensor["dtype"], data: GoldenTensor["data"]) =>
    lab.tensor({ dtype, shape: [data.length], data });
  expect(of("float64", ["NaN", "-Infinity", -0]).data()).toEqual(
    new Float64Array([Number.NaN, -Infinity, -0]),
  );
  expect(of("float32", [0.1]).data()).toEqual(new Float32Array([0.1]));
  expect(of("int64", [-100, 3]).dtype).toBe("i32");
  expect(of("int8", [-128]).data()).toEqual(new Int32Array([-128]));
  expect(of("bool", [0, 1]).toArray()).toEqual([false, true]);
  expect(lab.tensor({ dtype: "float64", shape: [0, 3], data: [] }).shape).toEqual([0, 3]);
});

it("does not support int64 beyond 32 bits", () => {
  expect(() => lab.tensor({ dtype: "int64", shape: [], data: [2 ** 40] })).toThrow(/32 bits/);
});

it.each<[string, NonNullable<GoldenTensor["view"]>["steps"], unknown]>([
  [
    "transpose",
    [["transpose", 0, 1]],
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  ],
  [
    "permute",
    [["permute", 1, 0]],
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  ],
  [
    "slice",
    [["slice", 1, 0, 3, 2]],
    [
      [1, 3],
      [4, 6],
    ],
  ],
  [
    "slice, then expand",
    [
      ["slice", 1, 1, 2, 1],
      ["expand", 2, 2, 2],
    ],
    [
      [
        [2, 2],
        [5, 5],
      ],
      [
        [2, 2],
        [5, 5],
      ],
    ],
  ],
])("builds a view by %s", (_, steps, logical) => {
  expect(lab.tensor({ ...base, view: { base, steps } }).toArray()).toEqual(logical);
});

it("computes in float32 throughout if told to, with float32's tolerance at least", () => {
  const single = new Lab(true, { float64: { rtol: 1e-9, atol: 1e-12 }, float32: { rtol: 1e-5, atol: 1e-6 } });
  expect(single.tensor(base).dtype).toBe("f32");
  expect(single.tolerance("float64", undefined)).toEqual({ rtol: 1e-5, atol: 1e-6 });
  expect(single.tolerance("float64", { rtol: 1e-7, atol: 1e-3 })).toEqual({ rtol: 1e-5, atol: 1e-3 });
  expect(single.tolerance("int64", undefined)).toEqual({ rtol: 0, atol: 0 });
});
