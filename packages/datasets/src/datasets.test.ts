import { describe, expect, it } from "vitest";
import { breastCancer, type Dataset, diabetes, digits, iris, wine } from "./index.js";

// Sizes, class counts and first rows as scikit-learn 1.2.1 gives them.
const table: {
  load: () => Dataset;
  name: string;
  rows: number;
  features: number;
  split: [train: number, test: number];
  classCounts?: number[];
  firstFeature: string;
  first: [x: number[], y: number];
}[] = [
  {
    load: digits,
    name: "digits",
    rows: 1797,
    features: 64,
    split: [1437, 360],
    classCounts: [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
    firstFeature: "pixel_0_0",
    first: [[0, 0, 5, 13, 9, 1, 0, 0], 0],
  },
  {
    load: iris,
    name: "iris",
    rows: 150,
    features: 4,
    split: [120, 30],
    classCounts: [50, 50, 50],
    firstFeature: "sepal_length_(cm)",
    first: [[5.1, 3.5, 1.4, 0.2], 0],
  },
  {
    load: wine,
    name: "wine",
    rows: 178,
    features: 13,
    split: [142, 36],
    classCounts: [59, 71, 48],
    firstFeature: "alcohol",
    first: [[14.23, 1.71, 2.43, 15.6, 127], 0],
  },
  {
    load: breastCancer,
    name: "breast_cancer",
    rows: 569,
    features: 30,
    split: [455, 114],
    classCounts: [212, 357],
    firstFeature: "mean_radius",
    first: [[17.99, 10.38, 122.8, 1001], 0],
  },
  {
    load: diabetes,
    name: "diabetes",
    rows: 442,
    features: 10,
    split: [353, 89],
    firstFeature: "age",
    first: [[59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87], 151],
  },
];

describe.each(table)("$name", ({ load, name, rows, features, split, classCounts, firstFeature, first }) => {
  const data = load();

  it("has its rows, its features and a target for each row", () => {
    expect(data.name).toBe(name);
    expect([data.rows, data.features]).toEqual([rows, features]);
    expect(data.x).toBeInstanceOf(Float32Array);
    expect(data.x.length).toBe(rows * features);
    expect(data.y.length).toBe(rows);
    expect(data.featureNames.length).toBe(features);
    expect(data.featureNames[0]).toBe(firstFeature);
  });

  it("begins with the known first row", () => {
    const [x, y] = first;
    expect(data.x.slice(0, x.length)).toEqual(Float32Array.from(x));
    expect(data.y[0]).toBe(y);
  });

  it("has a split of the known sizes that covers every row once", () => {
    expect([data.train.length, data.test.length]).toEqual(split);
    const covered = [...data.train, ...data.test].sort((a, b) => a - b);
    expect(covered).toEqual(Array.from({ length: rows }, (_, row) => row));
  });

  it(classCounts ? "has the known number of rows in each class" : "has a quantity as its target", () => {
    if (classCounts === undefined) {
      expect(data.classes).toBeUndefined();
      expect(data.y).toBeInstanceOf(Float32Array);
      return;
    }
    const counts = new Array<number>(classCounts.length).fill(0);
    for (const label of data.y) counts[label] = (counts[label] ?? 0) + 1;
    expect(data.y).toBeInstanceOf(Int32Array);
    expect(data.classes).toBe(classCounts.length);
    expect(counts).toEqual(classCounts);
  });
});

it("diabetes' progression runs from 25 to 346", () => {
  const { y } = diabetes();
  expect([Math.min(...y), Math.max(...y)]).toEqual([25, 346]);
});
