import { describe, expect, it } from "vitest";
import { cholesky, choleskySolve } from "./cholesky.js";
import { symmetricEigen } from "./symmetric-eigen.js";
import { dot, times } from "./vectors.js";

/** A symmetric matrix of numbers that look random and are always alike. */
function symmetric(n: number, seed: number): Float64Array[] {
  const entry = (i: number, j: number): number =>
    Math.sin(seed + 12.9898 * Math.min(i, j) + 78.233 * Math.max(i, j));
  return Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_, j) => entry(i, j)));
}

const special: [string, Float64Array[]][] = [
  ["one number", [Float64Array.of(-3)]],
  ["zeros", symmetric(4, 0).map((row) => row.map(() => 0))],
  ["the identity", symmetric(5, 0).map((row, i) => row.map((_, j) => (i === j ? 1 : 0)))],
  ["ones", symmetric(6, 0).map((row) => row.map(() => 1))],
  ["a diagonal", symmetric(4, 0).map((row, i) => row.map((_, j) => (i === j ? ([2, -1, 0, 5][i] ?? 0) : 0)))],
];

describe("symmetricEigen", () => {
  it.each([...special, ...[2, 3, 7, 20].map((n) => [`${n} x ${n}`, symmetric(n, n)] as const)])(
    "takes a matrix apart: %s",
    (_, a) => {
      const { values, vectors } = symmetricEigen(a);
      expect([...values]).toEqual([...values].sort((x, y) => x - y));
      vectors.forEach((v, k) => {
        times(a, v).forEach((got, i) => {
          expect(got).toBeCloseTo((values[k] as number) * (v[i] as number), 10);
        });
        vectors.forEach((w, l) => {
          expect(dot(v, w)).toBeCloseTo(k === l ? 1 : 0, 10);
        });
      });
    },
  );

  it("knows the eigenvalues of second differences: 2 - 2 cos(k pi / (n + 1))", () => {
    const n = 12;
    const a = Array.from({ length: n }, (_, i) =>
      Float64Array.from({ length: n }, (_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
    );
    symmetricEigen(a).values.forEach((value, k) => {
      expect(value).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)), 12);
    });
  });
});

describe("cholesky", () => {
  it("solves with a positive definite matrix, and refuses another", () => {
    const a = symmetric(6, 1).map((row, i) => row.map((v, j) => v + (i === j ? 6 : 0)));
    const x = Float64Array.from([1, -2, 3, 0, 0.5, 4]);
    const solved = choleskySolve(cholesky(a) as Float64Array[], times(a, x));
    solved.forEach((v, i) => {
      expect(v).toBeCloseTo(x[i] as number, 12);
    });
    const indefinite = [Float64Array.of(1, 2), Float64Array.of(2, 1)];
    expect(cholesky(indefinite)).toBe(undefined);
    expect(cholesky(indefinite, 1.5)).toBeDefined();
  });
});
