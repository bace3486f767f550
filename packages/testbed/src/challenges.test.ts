import { grad } from "@gradus/autograd";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import {
  ackley,
  beale,
  booth,
  boundedMonkeySaddle,
  type Challenge,
  himmelblau,
  monkeySaddle,
  noisyQuadratic,
  plateau,
  rastrigin,
  ravine,
  rosenbrock,
  saddle,
  styblinskiTang,
} from "./index.js";

const f64 = (values: readonly number[]) => tensor([...values], { dtype: "f64" });
const steepnessAt = ({ f }: Challenge, x: readonly number[]) => grad(f)(f64(x)).abs().max().item();

const challenges = [
  rosenbrock(),
  rosenbrock(10),
  rastrigin(),
  ackley(),
  himmelblau,
  beale,
  styblinskiTang(),
  styblinskiTang(2),
  booth,
  monkeySaddle,
  boundedMonkeySaddle,
  saddle,
  plateau(),
  ravine(),
  noisyQuadratic(),
];

describe.each(challenges.map((c) => [c.name, c] as const))("%s", (name, challenge) => {
  const { f, start, minima, least } = challenge;

  it("has its least value at its minima, and more everywhere around", () => {
    for (const x of minima) {
      expect(f(f64(x)).item()).toBeCloseTo(least, 9);
      for (let i = 0; i < x.length; i++) {
        for (const by of [-1e-3, 1e-3]) {
          const beside = x.map((v, k) => (k === i ? v + by : v));
          expect(f(f64(beside)).item()).toBeGreaterThan(least);
        }
      }
    }
  });

  it("is stationary where it says", () => {
    const { localMinima = [], saddles = [] } = challenge;
    // Ackley's has no derivative at its minimum.
    const places = [...(name === "Ackley" ? [] : minima), ...localMinima, ...saddles];
    for (const x of places) expect(steepnessAt(challenge, x)).toBeLessThan(1e-10);
    expect(steepnessAt(challenge, start)).toBeGreaterThan(0);
  });

  it("takes many points at once", () => {
    const points = [start, start.map((v) => v / 2 + 0.1)];
    const values = f(tensor([...points.map((x) => [...x])], { dtype: "f64" }));
    expect(values.shape).toEqual([2]);
    points.forEach((x, i) => {
      expect(values.toArray()).toHaveProperty(String(i), f(f64(x)).item());
    });
  });
});

it("leads to a saddle's centre, where descent goes on beside", () => {
  for (const { f, saddles } of [saddle, monkeySaddle, boundedMonkeySaddle]) {
    const values = [-0.1, 0.1].flatMap((by) => [f(f64([by, 0])).item(), f(f64([0, by])).item()]);
    expect(saddles).toEqual([[0, 0]]);
    expect(Math.min(...values)).toBeLessThan(0);
  }
});

it("adds noise that has no mean", () => {
  const { f, noisy } = noisyQuadratic(0.5);
  const x = f64([1, 2]);
  const mean = (noisy(x, f64([1, -1])).item() + noisy(x, f64([-1, 1])).item()) / 2;
  expect(mean).toBeCloseTo(f(x).item() + 0.25, 12);
});
