import { expect, it } from "vitest";
import { parseFormula } from "./formula.js";

it.each<[string, number]>([
  ["0.95 ** epoch", 0.95 ** 7],
  ["1 / (1 + epoch)", 1 / 8],
  ["0.5 ** floor(epoch / 3)", 0.25],
  ["2 - 3 - 4", -5],
  ["8 / 4 / 2", 1],
  ["2 ** 3 ** 2", 512],
  ["-2 ** 2", -4],
  ["2 ** -1", 0.5],
  ["1e-3 * 2E2 + .5", 0.7],
  ["min(1, epoch / 4) * max(0.1, 1 - epoch)", 0.1],
])("computes %s", (text, value) => {
  expect(parseFormula(text)({ epoch: 7 })).toBeCloseTo(value, 12);
});

it.each([
  "",
  "1 +",
  "(1",
  "1 2",
  "epoch;",
  "process.exit()",
  "sin(epoch)",
  "constructor(1)",
  "1 = 1",
  "min()",
])("rejects %j", (text) => {
  expect(() => parseFormula(text)).toThrow(/formula/);
});

it("names an unknown variable", () => {
  expect(() => parseFormula("step")({ epoch: 1 })).toThrow(/step is unknown/);
});
