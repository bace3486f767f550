import { tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { differenceOf, mismatchOf, near } from "./compare.js";
import { Lab } from "./lab.js";
import type { GoldenTensor } from "./schema/values.js";

const exact = { rtol: 0, atol: 0 };
const vector = (...data: GoldenTensor["data"]): GoldenTensor => ({
  dtype: "float64",
  shape: [data.length],
  data,
});
const lab = new Lab(false, {});

it("is near within atol + rtol |want|, bounds included", () => {
  expect(near(110, 100, 0.05, 5)).toBe(true);
  expect(near(110.1, 100, 0.05, 5)).toBe(false);
  expect(near(100, 110.1, 0.05, 5)).toBe(true);
});

it("has NaN equal NaN, and infinities by sign", () => {
  expect(near(Number.NaN, Number.NaN, 0, 0)).toBe(true);
  expect(near(1, Number.NaN, 1, 1)).toBe(false);
  expect(near(Number.NaN, 1, 1, 1)).toBe(false);
  expect(near(Infinity, Infinity, 0, 0)).toBe(true);
  expect(near(-Infinity, Infinity, 1, 1)).toBe(false);
  expect(near(1e308, Infinity, 1, 1)).toBe(false);
  expect(near(Infinity, 1, 1, 1)).toBe(false);
});

it("names the first differing element, how many there are, and the greatest error", () => {
  const want: GoldenTensor = { dtype: "float64", shape: [2, 2], data: [1, 2, 3, "Infinity"] };
  const difference = differenceOf({ shape: [2, 2], data: [1, 2.5, 5, Infinity] }, want, exact);
  expect(difference).toBe("at [0, 1]: 2.5, not 2, and 1 more of 4; max error 2");
});

it("tells shapes apart, also where the elements are equal", () => {
  const one: GoldenTensor = { dtype: "float64", shape: [], data: [1] };
  expect(differenceOf({ shape: [1], data: [1] }, one, exact)).toBe("the shape is [1], not []");
  expect(differenceOf({ shape: [0, 2], data: [] }, { ...one, shape: [0, 3], data: [] }, exact)).toMatch(
    /shape/,
  );
});

it("tells dtypes apart", async () => {
  const mismatch = await mismatchOf({ what: "y", got: tensor([1]), want: vector(1) }, lab, undefined);
  expect(mismatch?.detail).toBe("the dtype is f32, not f64");
});

it("takes either the float32 or the float64 answer of a float32 case, but no mixture", async () => {
  const want: GoldenTensor = { ...vector(1, 2), dtype: "float32" };
  const check = (data: number[]) =>
    mismatchOf({ what: "y", got: tensor(data), want, or: vector(1.5, 2.5) }, lab, undefined);
  expect(await check([1, 2])).toBeUndefined();
  expect(await check([1.5, 2.5])).toBeUndefined();
  expect(await check([1, 2.5])).toBeDefined();
});

it("uses a case's own tolerance instead of the file's", async () => {
  const check = { what: "y", got: 1.1, want: { dtype: "float64", shape: [], data: [1] } as const };
  expect(await mismatchOf(check, lab, undefined)).toBeDefined();
  expect(await mismatchOf(check, lab, { rtol: 0.2, atol: 0 })).toBeUndefined();
});
