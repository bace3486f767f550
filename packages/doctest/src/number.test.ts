import { expect, it } from "vitest";
import { agrees } from "./number.js";

it.each([
  [0.27290321, "0.272903"],
  [0.2729025, "0.272903"],
  [0.2729035, "0.272903"],
  [-1.25, "-1.2"],
  [1 / 3, ".33"],
  [Math.fround(0.1), "0.1"],
  [0.1 + 0.2, "0.30"],
  [3.2, "3."],
  [3, "3"],
  [-0, "0"],
  [1.24e-8, "1.2e-8"],
  [120_400, "1.2e5"],
  [0.1, "0.1000000000000000055511151231257827"],
])("%d agrees with %s", (value, written) => {
  expect(agrees(value, written)).toBe(true);
});

it.each([
  [0.2729036, "0.272903"],
  [0.2729024, "0.272903"],
  [3.2, "3"],
  [3.0000001, "3"],
  [-0.5, "0.5"],
  [1.26e-8, "1.2e-8"],
  [Number.NaN, "0.5"],
  [Number.POSITIVE_INFINITY, "1e308"],
  [1, "one"],
  [0, ""],
  [0, "."],
])("%d does not agree with %s", (value, written) => {
  expect(agrees(value, written)).toBe(false);
});
