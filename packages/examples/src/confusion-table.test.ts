import { expect, it } from "vitest";
import { confusion, confusionTable } from "./confusion-table.js";

it("counts rows by class and prediction, and says which share of each class is right", () => {
  const counts = confusion([0, 0, 0, 1, 1], [0, 0, 2, 1, 1], 3);
  expect(counts).toEqual([
    [2, 0, 1],
    [0, 2, 0],
    [0, 0, 0],
  ]);
  expect(confusionTable(counts).split("\n")).toEqual([
    "     predicted",
    " true  0  1  2    right",
    "    0  2  ·  1   66.7 %",
    "    1  ·  2  ·  100.0 %",
    "    2  ·  ·  ·        -",
  ]);
});
