import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { klDiv } from "./index.js";

const f64 = (values: number | number[] | number[][]) => tensor(values, { dtype: "f64" });
const none = { reduction: "none" } as const;

const q = [0.5, 0.25, 0.25];
const t = [0.2, 0.8, 0];
const terms = t.map((v, i) => (v === 0 ? 0 : v * Math.log(v / (q[i] as number))));
const sum = terms.reduce((a, b) => a + b);
const [logs, targets] = [f64([q, q]).log(), f64([t, t])];

describe("klDiv", () => {
  it("is t log(t / q), and 0 where t is 0", () => {
    const got = klDiv(logs, targets, none).data();
    terms.forEach((term, i) => {
      expect(got[i]).toBeCloseTo(term, 14);
    });
  });

  it("divides by elements as a mean and by samples as a batchmean", () => {
    expect(klDiv(logs, targets).item()).toBeCloseTo(sum / 3, 14);
    expect(klDiv(logs, targets, { reduction: "batchmean" }).item()).toBeCloseTo(sum, 14);
  });

  it("weights the samples of a batchmean: that of the samples repeated so often", () => {
    const other = f64([[0.1, 0.2, 0.7], q]).log();
    const sampleWeight = f64([2, 1]);
    const repeated = f64([[0.1, 0.2, 0.7], [0.1, 0.2, 0.7], q]).log();
    const want = klDiv(repeated, f64([t, t, t]), { reduction: "batchmean" }).item();
    expect(klDiv(other, targets, { reduction: "batchmean", sampleWeight }).item()).toBeCloseTo(want, 14);
  });

  it("takes logarithms of targets", () => {
    const positive = f64([[0.2, 0.7, 0.1]]);
    const once = f64([q]).log();
    const got = klDiv(once, positive.log(), { logTarget: true }).item();
    expect(got).toBeCloseTo(klDiv(once, positive).item(), 14);
  });

  it("refuses negative targets, which are logarithms", () => {
    expect(() => klDiv(logs, logs)).toThrow("klDiv: targets must not be negative");
    expect(() => klDiv(logs, logs)).toThrow("logTarget");
    expect(() => klDiv(logs, targets, { reduction: "batch" as "mean" })).toThrow('"batch" is unknown');
  });
});

it("refuses probabilities where logarithms belong, and says which way round", () => {
  const [p, t] = [tensor([0.5, 0.5]), tensor([0.25, 0.75])];
  expect(() => klDiv(p, t)).toThrow("klDiv: logProbabilities must not be positive, got 0.5 at row 0");
  expect(() => klDiv(t, p.log())).toThrow("Are the arguments swapped? klDiv(logProbabilities, targets)");
});
