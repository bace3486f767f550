import { interpreter, type Tensor } from "@gradus/core";
import {
  arange,
  compile,
  divideRounded,
  full,
  indexAdd,
  setDefaultDevice,
  tensor,
  where,
} from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type WebglOptions, webgl } from "./webgl.js";

const i32 = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "i32" });
/** The greatest whole number up to which floats hold all. */
const M = 2 ** 24;
const [MIN, MAX] = [-(2 ** 31), 2 ** 31 - 1];

/** Programs in which integers are, or become, more than a float holds; each makes tensors of its own. */
const programs: Readonly<Record<string, () => Tensor>> = {
  "values as they were given": () => i32([M - 1, M, M + 1, -M - 1, MIN, MAX]),
  "a copy of them": () =>
    i32([M + 1, -M - 3, MIN, MAX])
      .reshape([2, 2])
      .transpose(0, 1)
      .add(0),
  "values that are filled in": () => full([3], M + 1, { dtype: "i32" }).add(0),
  "ranges that begin beyond": () => arange(M - 2, M + 3, 1, { dtype: "i32" }),
  "ranges in large steps": () => arange(0, 5 * (M + 1), M + 1, { dtype: "i32" }),
  "a sum that is just within": () => i32([M - 1, 1 - M]).add(i32([1, -1])),
  "a sum that is just beyond": () => i32([M, -M]).add(i32([1, -1])),
  "a sum that wraps": () => i32([MAX, MIN]).add(i32([1, -1])),
  "a difference beyond": () => i32([-M, M]).sub(i32([3, -5])),
  "a product just within": () => i32([4096, -4096]).mul(i32([4096, 4096])),
  "a product just beyond": () => i32([4097, -4097]).mul(i32([4097, 4097])),
  "a product that wraps": () => i32([65537, 123456789]).mul(i32([65537, 987654321])),
  "a square beyond": () => i32([5000, -5001]).square(),
  "the negative of the least": () => i32([MIN, 1 - M]).neg(),
  "the magnitude of the least": () => i32([MIN, -M - 1]).abs(),
  "what is beyond on its way only": () =>
    i32([M, M - 1])
      .mul(3)
      .sub(i32([2 * M, 2 * M - 2])),
  "divisions of what is beyond": () => divideRounded(i32([M + 1, -M - 1, MAX]), i32([3, 3, -7]), "floor"),
  "remainders of what is beyond": () => i32([M + 1, -M - 1, MAX]).remainder(i32([10, 10, -7])),
  "a quotient of what is within, by a negative": () =>
    divideRounded(i32([M, M - 1]).abs(), -1, "trunc").sub(M),
  "comparisons of neighbours": () => i32([M, M + 1, M + 2]).lt(i32([M + 1, M + 1, M + 1])),
  "equality of neighbours": () => i32([M, M + 1]).eq(i32([M + 1, M + 1])),
  "the greater of neighbours": () => i32([M, M + 2]).maximum(i32([M + 1, M + 1])),
  "a choice between them": () => where(tensor([1, 0]).gt(0), i32([M + 1, 5]), i32([7, M + 3])),
  "a difference of ranges": () =>
    arange(0, 5, 1, { dtype: "i32" })
      .mul(M / 4)
      .sub(arange(0, 10, 2, { dtype: "i32" })),
  "positions in a large tensor": () =>
    tensor([[0], [1]], { dtype: "i32" })
      .expand([2, M / 4 + 1])
      .slice(null, [-2, M / 4 + 1]),
  "a sum of many": () => i32([M - 1, M - 1, 3, -5]).sum(),
  "a sum along an axis that stays within": () =>
    i32([
      [M - 1, 1],
      [-7, 7],
    ]).sum(1),
  "a product of many": () => i32([300, 300, 300]).prod(),
  "a running total": () => i32([M - 1, 1, 1, 1]).cumsum(0),
  "the greatest": () => i32([M, M + 1, M - 1]).max(),
  "the place of the greatest": () => i32([M, M + 1, M - 1]).argmax(),
  "a sorted order": () => i32([M + 2, M, M + 1]).argsort(0),
  "a matrix product within": () =>
    i32([[1, 2, 3, 4, 5, 6]])
      .transpose(0, 1)
      .matmul(i32([[7, -8, 9, 10, 11, 12]])),
  "a matrix product beyond": () =>
    i32(Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, k) => 2000 + i + k))).matmul(
      i32(Array.from({ length: 8 }, (_, k) => Array.from({ length: 8 }, (_, j) => 1999 - k * j))),
    ),
  "floats as integers": () => tensor([M + 2, -M - 2, 3.9, -3.9, 2e9, -2e9]).cast("i32"),
  "floats that no integer is": () => tensor([Number.NaN, Infinity, -Infinity, 3e9, -3e9]).cast("i32"),
  "integers as floats": () => i32([M + 1, M + 3, MAX, MIN, 7]).cast("f32"),
  "integers as floats, counted with": () =>
    i32([M + 1, M + 3])
      .cast("f32")
      .add(tensor([1, 1])),
  "integers with floats": () => i32([M + 1, MAX]).mul(tensor([0.5, 0.5])),
  "truth of what is beyond": () => i32([M + 1, 0]).cast("bool"),
  "elements of what is beyond": () => i32([M + 1, M + 3, M + 5]).gather(0, i32([2, 0])),
  "rows added up": () =>
    indexAdd(
      i32([
        [1, 2],
        [3, 4],
      ]),
      0,
      i32([1, 1]),
      i32([
        [M, M],
        [1, MAX],
      ]),
    ),
};

/** Integers of any size are exact, wherever a launch runs. */
export function describeIntegers(options: WebglOptions): void {
  describe(`integers in ${options.mode}`, () => {
    it.each(Object.entries(programs))("are exact: %s", async (_, program) => {
      setDefaultDevice(interpreter({ precision: "float32" }));
      const expected = [...program().data()];
      const device = await webgl(options);
      setDefaultDevice(device);
      expect([...(await program().read())]).toEqual(expected);
      expect([...(await compile(program)().read())]).toEqual(expected);
      await device.dispose();
    });
  });
}
