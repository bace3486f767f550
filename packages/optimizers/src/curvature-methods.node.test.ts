import { hvp, leastSquares, objective } from "@gradus/autograd";
import { mapTree, type Objective, type Tensor, tensorsOf } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { describeMethod } from "./describe-method.fixture.js";
import { gaussNewton, kfac, levenbergMarquardt, minimizeObjective, naturalGradient } from "./index.js";

/** The Hessian in the place of the Fisher matrix, and no layers. */
function withFisher<P>(f: (params: P) => Tensor): Objective<P> {
  return { ...objective(f), fisherVp: (params, vector) => hvp(f, params, vector), layerTaps: () => [] };
}

/** Residuals with the Hessian in the place of `J^T J`: the push is the vector itself, the pull the product. */
function withResiduals<P>(f: (params: P) => Tensor): Objective<P> {
  return {
    ...objective(f),
    residuals: (params) => ({
      values: f(params),
      jvp: (vector) => {
        const parts = tensorsOf(vector).map((x) => x.reshape([-1]));
        return (parts[0] as Tensor).engine.concat(parts);
      },
      vjp: (pushed) => {
        let at = 0;
        const vector = mapTree(params, (x) => {
          const part = pushed.slice([at, at + x.size]).reshape(x.shape);
          at += x.size;
          return part;
        });
        return hvp(f, params, vector);
      },
    }),
  };
}

describeMethod("naturalGradient", {
  make: () => naturalGradient(),
  makeShort: () => naturalGradient({ maxIterations: 3 }),
  objectiveOf: withFisher,
  refused: [
    [() => naturalGradient({ damping: -1 }), "damping must be"],
    [() => naturalGradient({ maxProducts: 0 }), "maxProducts must be"],
    [
      () => naturalGradient({ fisher: "exact" as "true" }),
      'fisher must be "true" or "empirical", got "exact"',
    ],
  ],
});

describeMethod("kfac", {
  make: () => kfac(),
  makeShort: () => kfac({ maxIterations: 3, momentum: false }),
  objectiveOf: withFisher,
  refused: [
    [() => kfac({ damping: 0 }), "damping must be above 0, got 0"],
    [() => kfac({ decay: 1 }), "decay must be in [0, 1), got 1"],
  ],
});

describeMethod("levenbergMarquardt", {
  make: () => levenbergMarquardt(),
  makeShort: () => levenbergMarquardt({ maxIterations: 3 }),
  objectiveOf: withResiduals,
  refused: [[() => levenbergMarquardt({ tolerance: -1 }), "tolerance must be"]],
});

describeMethod("gaussNewton", {
  make: () => gaussNewton(),
  makeShort: () => gaussNewton({ maxIterations: 3, lineSearch: "strong-wolfe" }),
  objectiveOf: withResiduals,
  refused: [[() => gaussNewton({ maxProducts: 0 }), "maxProducts must be"]],
});

const f64 = (values: readonly number[]) => tensor([...values], { dtype: "f64" });

describe("least squares", () => {
  const t = Array.from({ length: 20 }, (_, i) => i / 4);
  const y = t.map((v) => 2 * Math.exp(-0.7 * v) + 0.5);
  const decay = leastSquares((p: Tensor) => {
    const [a, b, c] = [0, 1, 2].map((i) => p.slice([i, i + 1])) as [Tensor, Tensor, Tensor];
    return b.mul(f64(t)).exp().mul(a).add(c).sub(f64(y));
  });

  it.each(["gauss-newton", "levenberg-marquardt", "trust-region"] as const)(
    "fit a curve: %s",
    async (method) => {
      const r = await minimizeObjective(decay, f64([1, -0.2, 0]), { method });
      expect([r.reason, r.success]).toEqual(["converged", true]);
      const [a, b, c] = r.params.data() as unknown as [number, number, number];
      expect([a, b, c].map((v) => Math.round(v * 1e4) / 1e4)).toEqual([2, -0.7, 0.5]);
      expect(r.iterations).toBeLessThan(12);
    },
  );

  it("are solved by Levenberg-Marquardt from afar, in Rosenbrock's valley", async () => {
    const valley = leastSquares((p: Tensor) => {
      const [a, b] = [p.slice([0, 1]), p.slice([1, 2])];
      return a.engine.concat([b.sub(a.square()).mul(10), a.neg().add(1)]);
    });
    const r = await minimizeObjective(valley, f64([-1.2, 1]), { method: "levenberg-marquardt" });
    expect(r.success).toBe(true);
    expect(r.value).toBeLessThan(1e-12);
    expect(r.evaluations.gradient).toBeLessThan(40);
  });

  it("with many parameters are solved by conjugate gradients", async () => {
    const n = 100;
    const target = f64(Array.from({ length: n }, (_, i) => Math.sin(i)));
    const scale = f64(Array.from({ length: n }, (_, i) => 1 + (i % 7)));
    const wide = leastSquares((p: Tensor) => p.add(p.pow(3).mul(0.1)).sub(target).mul(scale));
    for (const method of ["gauss-newton", "levenberg-marquardt"] as const) {
      const r = await minimizeObjective(wide, f64(new Array<number>(n).fill(0)), { method });
      expect([method, r.reason]).toEqual([method, "converged"]);
      expect(r.value).toBeLessThan(1e-9);
      expect(r.iterations).toBeLessThan(15);
    }
  });
});

describe("what an objective lacks", () => {
  const plain = objective((x: Tensor) => x.square().sum());
  it.each([
    [() => naturalGradient(), "the objective has no fisherVp"],
    [() => naturalGradient({ fisher: "empirical" }), "the objective has no perExample"],
    [() => kfac(), "the objective has no layerTaps"],
    [() => gaussNewton(), "the objective has no residuals"],
    [() => levenbergMarquardt(), "the objective has no residuals"],
  ] as const)("is named, with the mend: %o", (make, message) => {
    const optimizer = make();
    const x = f64([1]);
    expect(() => optimizer.step(plain, x, optimizer.init(x), undefined)).toThrow(message);
  });
});
