import {
  type Backend,
  castNumber,
  type DType,
  type HalfArray,
  interpreter,
  isGradusError,
  type Tensor,
} from "@gradus/core";
import { describe, expect, it } from "vitest";
import { compile } from "./compile/compile.js";
import { arange, eye, full, linspace, ones, tensor } from "./create.js";
import { solve } from "./linalg/solve.js";
import { concat } from "./ops/concat.js";
import { key } from "./random/key.js";

const rounded = (values: readonly number[]): number[] => values.map((x) => castNumber(x, "f16"));
const values = (x: Tensor): number[] => [...x.data()];
const half = (data: readonly number[], shape: readonly number[] = [data.length]): Tensor =>
  tensor(data as number[], { dtype: "f16", shape });

describe("a tensor of f16", () => {
  it("holds numbers of binary16, and gives them as floats", async () => {
    const x = half([1, 2049, 65519, 65520, 2 ** -24, 2 ** -25, 0.1, Number.NaN]);
    const expected = [1, 2048, 65504, Infinity, 2 ** -24, 0, 0.0999755859375, Number.NaN];
    expect(await x.read()).toEqual(new Float32Array(expected));
    expect(x.toArray()).toEqual(expected);
    expect(String(x.slice([0, 2]))).toBe("Tensor f16[2] [1, 2048]");
    expect(half([2049], []).item()).toBe(2048);
  });

  it("takes two bytes an element", () => {
    const device = interpreter();
    const x = full([1001], 1, { dtype: "f16", device });
    expect(device.memory().bytes).toBe(2002);
    x.dispose();
  });

  it("is what a Float16Array becomes", () => {
    class Float16Array extends Float32Array {
      override get [Symbol.toStringTag](): "Float32Array" {
        return "Float16Array" as "Float32Array";
      }
    }
    const x = tensor(new Float16Array([1, 0.5]) as unknown as HalfArray);
    expect(x.dtype).toBe("f16");
    expect(values(x)).toEqual([1, 0.5]);
  });

  it("is made by every function that makes tensors", () => {
    const dtype = "f16";
    expect(values(full([2], 0.1, { dtype }))).toEqual(rounded([0.1, 0.1]));
    expect(values(arange(0, 1, 0.3, { dtype }))).toEqual(rounded([0, 0.3, 0.6, 0.9].map(Math.fround)));
    expect(values(linspace(0, 1, 3, { dtype }))).toEqual([0, 0.5, 1]);
    expect(values(eye(2, 2, { dtype }))).toEqual([1, 0, 0, 1]);
    const [wide, narrow] = (["f32", dtype] as const).map((d) => key(1).normal([50], { dtype: d }));
    expect(values(narrow as Tensor)).toEqual(rounded(values(wide as Tensor)));
  });

  it("is of the later dtype with another one", () => {
    const x = half([1]);
    const kinds = (["bool", "i32", "f16", "f32", "f64"] as DType[]).map((dtype) => ones([1], { dtype }));
    expect(kinds.map((y) => x.add(y).dtype)).toEqual(["f16", "f16", "f16", "f32", "f64"]);
    expect(x.mul(0.1).dtype).toBe("f16");
    expect(ones([1], { dtype: "bool" }).where(x, 0.5).dtype).toBe("f16");
    expect([x.gt(0).dtype, x.isNaN().dtype, x.argmax(0).dtype, x.sum().dtype]).toEqual([
      "bool",
      "bool",
      "i32",
      "f16",
    ]);
    expect(concat([x, ones([1])]).dtype).toBe("f32");
    expect(half([1], [1, 1]).matmul(ones([1, 1])).dtype).toBe("f32");
  });

  it("is refused by a device that has none, at the call, also inside compile()", () => {
    const all = interpreter();
    const device: Backend = Object.assign(Object.create(all) as Backend, {
      caps: { ...all.caps, dtypes: ["bool", "i32", "f32"] },
    });
    const x = ones([2], { device });
    for (const f of [
      () => tensor([1], { dtype: "f16", device }),
      () => x.cast("f16"),
      () => compile((y: Tensor) => y.cast("f16").cast("f32"))(x),
    ]) {
      try {
        f();
        expect.unreachable();
      } catch (error) {
        if (!isGradusError(error, "unsupported")) throw error;
        expect(error.message).toContain(
          "interpreter has no f16: it supports bool, i32, f32. Use one of them",
        );
      }
    }
  });
});

describe.each(["float64", "float32"] as const)("operations on f16, in %s", (precision) => {
  const device = interpreter({ precision });
  const draw = (seed: number, shape: readonly number[], dtype: DType = "f16"): Tensor =>
    key(seed, { device }).normal([...shape], { dtype });

  it("compute in f32 and round once", () => {
    const x = tensor([0.1, 3, 300], { dtype: "f16", device });
    const wide = x.cast("f32");
    // Rounded on the way 90000 would be infinite.
    expect(values(x.gelu())).toEqual(rounded(values(wide.gelu())));
    expect(values(x.mul(0.1))).toEqual(rounded(values(wide.mul(0.1))));
    expect(values(x.mul(0.1))).toEqual(rounded(values(wide.mul(0.1))));
    expect(values(x.hypot(x))).toEqual(rounded(values(wide.hypot(wide))));
    expect(x.square().data()[2]).toBe(Infinity);
    expect(x.norm().item()).toBe(castNumber(wide.norm().item(), "f16"));
  });

  it("add up in f32", () => {
    const x = full([4096], 1, { dtype: "f16", device });
    expect(x.sum().item()).toBe(4096);
    expect(x.mul(100).sum().item()).toBe(Infinity);
    expect(x.mul(100).mean().item()).toBe(100);
    const [a, b] = [
      full([2, 5000], 0.5, { dtype: "f16", device }),
      full([5000, 3], 2, { dtype: "f16", device }),
    ];
    expect(values(a.matmul(b))).toEqual(new Array(6).fill(5000));
  });

  it("solve systems, in f32", () => {
    const a = draw(5, [3, 3]);
    const b = draw(6, [3]);
    const x = solve(a, b);
    expect(x.dtype).toBe("f16");
    expect(values(x)).toEqual(rounded(values(solve(a.cast("f32"), b.cast("f32")))));
  });

  it("round values on the way of a compiled function, though they stay in a kernel", () => {
    const x = draw(7, [300], "f32");
    const f = (y: Tensor): Tensor => y.cast("f16").cast("f32").sub(y);
    expect(values(compile(f)(x))).toEqual(values(f(x)));
    expect(f(x).abs().max().item()).toBeGreaterThan(0);
    const step = (y: Tensor): Tensor => y.cast("f16").mul(3).add(0.1).exp().div(7).cast("f32");
    expect(values(compile(step)(x))).toEqual(values(step(x)));
  });

  it("may be donated, and overwritten where they lie", () => {
    const step = compile((y: Tensor) => y.mul(0.5).add(1), { donate: [0] });
    let x = draw(8, [65]);
    const expected = values(x.mul(0.5).add(1));
    x = step(x);
    expect(values(x)).toEqual(expected);
  });
});
