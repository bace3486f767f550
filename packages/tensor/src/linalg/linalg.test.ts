import { interpreter, type Tensor } from "@gradus/core";
import { describe, expect, it } from "vitest";
import * as t from "../index.js";

const code = (name: string): unknown => expect.objectContaining({ code: name });
/** The greatest difference of two tensors. */
const distance = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().item();
const random = (...shape: number[]): Tensor => t.key(shape.length).normal(shape, { dtype: "f64" });
const identity = (n: number): Tensor => t.eye(n, n, { dtype: "f64" });

describe("decompositions give back what they took apart", () => {
  it.each([
    [5, 5],
    [7, 3],
    [3, 7],
    [1, 4],
    [1, 1],
  ])("qr and svd of %i x %i, in batches", (m, n) => {
    const x = random(2, m, n);
    for (const mode of ["reduced", "complete"] as const) {
      const { q, r } = t.qr(x, { mode });
      expect(distance(q.matmul(r), x)).toBeLessThan(1e-13);
      expect(distance(q.transpose().matmul(q), identity(q.shape.at(-1) as number))).toBeLessThan(1e-13);
      expect(distance(t.triu(r), r)).toBe(0);
    }
    const { u, s, vh } = t.svd(x, { fullMatrices: false });
    expect(distance(u.mul(s.unsqueeze(-2)).matmul(vh), x)).toBeLessThan(1e-12);
    const full = t.svd(x);
    expect(full.u.shape).toEqual([2, m, m]);
    expect(full.vh.shape).toEqual([2, n, n]);
    expect(distance(full.u.matmul(full.u.transpose()), identity(m))).toBeLessThan(1e-12);
    expect(distance(full.vh.matmul(full.vh.transpose()), identity(n))).toBeLessThan(1e-12);
    expect(distance(s, s.sort(-1, { descending: true }).values)).toBe(0);
  });

  it("eigh and cholesky of symmetric matrices, of which they read the lower triangle", () => {
    const x = random(3, 8, 8);
    const symmetric = x.add(x.transpose());
    const { values, vectors } = t.eigh(t.tril(symmetric));
    expect(distance(vectors.mul(values.unsqueeze(-2)).matmul(vectors.transpose()), symmetric)).toBeLessThan(
      1e-12,
    );
    expect(distance(vectors.transpose().matmul(vectors), identity(8))).toBeLessThan(1e-12);
    const definite = x.matmul(x.transpose()).add(identity(8));
    const lower = t.cholesky(t.tril(definite));
    expect(distance(lower.matmul(lower.transpose()), definite)).toBeLessThan(1e-12);
  });

  it("matrices of rank 0 and 1, and with equal eigenvalues", () => {
    const zero = t.svd(t.zeros([3, 2], { dtype: "f64" }));
    expect(zero.s.toArray()).toEqual([0, 0]);
    expect(distance(zero.u.transpose().matmul(zero.u), identity(3))).toBeLessThan(1e-12);
    const one = t.svd(t.ones([3, 3], { dtype: "f64" }));
    expect(one.s.toArray()).toEqual([3, 0, 0].map((v) => expect.closeTo(v, 12)));
    expect(distance(one.u.transpose().matmul(one.u), identity(3))).toBeLessThan(1e-12);
    expect(t.eigh(identity(4).mul(2)).values.toArray()).toEqual([2, 2, 2, 2]);
  });
});

describe("systems", () => {
  it("solve, inv, det and slogdet agree", () => {
    const [a, b] = [random(2, 4, 4), random(2, 4, 3)];
    expect(distance(a.matmul(t.solve(a, b)), b)).toBeLessThan(1e-12);
    expect(distance(t.inv(a).matmul(a), identity(4))).toBeLessThan(1e-11);
    const { sign, logabsdet } = t.slogdet(a);
    expect(distance(sign.mul(logabsdet.exp()), t.det(a))).toBeLessThan(1e-12);
    expect(t.solve(a, t.ones([4])).shape).toEqual([2, 4]);
    expect(t.solve(random(4, 4), b).shape).toEqual([2, 4, 3]);
  });

  it("triangularSolve reads one triangle, from either side", () => {
    const [a, b] = [random(4, 4).add(identity(4).mul(3)), random(2, 4, 4)];
    expect(distance(t.tril(a).matmul(t.triangularSolve(a, b)), b)).toBeLessThan(1e-12);
    expect(distance(t.triu(a).matmul(t.triangularSolve(a, b, { upper: true })), b)).toBeLessThan(1e-12);
    expect(distance(t.triangularSolve(a, b, { left: false }).matmul(t.tril(a)), b)).toBeLessThan(1e-12);
    const unit = t.tril(a, -1).add(identity(4));
    expect(distance(unit.matmul(t.triangularSolve(a, b, { unitriangular: true })), b)).toBeLessThan(1e-12);
  });

  it("singular and indefinite matrices are errors at the call, or in compile at the next read", () => {
    expect(() => t.inv(t.zeros([2, 2]))).toThrow("inv: matrix 0 is singular");
    expect(() => t.solve(t.zeros([2, 2]), t.ones([2]))).toThrow(code("invalid-argument"));
    expect(() =>
      t.cholesky(
        t.tensor([
          [1, 0],
          [0, -1],
        ]),
      ),
    ).toThrow("cholesky: matrix 0 is not positive definite: its leading minor of order 2 is not above 0");
    const inverse = t.compile((x: Tensor) => t.inv(x));
    expect(inverse(t.eye(2)).toArray()).toEqual(t.eye(2).toArray());
    expect(() => inverse(t.zeros([2, 2])).data()).toThrow("inv: matrix 0 is singular");
    expect(t.det(t.zeros([2, 2])).item()).toBe(0);
    expect(t.slogdet(t.zeros([2, 2])).logabsdet.item()).toBe(-Infinity);
  });

  it("take batches of nothing and matrices of nothing, and reject other shapes", () => {
    expect(t.inv(t.zeros([0, 2, 2])).shape).toEqual([0, 2, 2]);
    expect(t.det(t.zeros([0, 0])).item()).toBe(1);
    expect(t.qr(t.zeros([0, 3, 2])).q.shape).toEqual([0, 3, 2]);
    expect(() => t.det(t.ones([2, 3]))).toThrow(
      "det: expected square matrices in the last two axes, got [2, 3]",
    );
    expect(() => t.solve(t.eye(2), t.ones([3]))).toThrow(code("shape-mismatch"));
    expect(() => t.svd(t.ones([3]))).toThrow(code("shape-mismatch"));
  });

  it("work in f32, computed in float64 and rounded once", () => {
    const device = interpreter({ precision: "float32" });
    const x = t.tensor(
      [
        [2, 1],
        [1, 3],
      ],
      { device },
    );
    expect(t.inv(x).toArray()).toEqual(
      [
        [0.6, -0.2],
        [-0.2, 0.4],
      ].map((row) => row.map(Math.fround)),
    );
  });
});
