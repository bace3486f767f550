import { objective } from "@gradus/autograd";
import { expectNoLeaks } from "@gradus/conformance";
import { type Backend, interpreter, type Tensor, tensorsOf } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import {
  beale,
  boundedMonkeySaddle,
  type Challenge,
  himmelblau,
  monkeySaddle,
  plateau,
  rastrigin,
  rosenbrock,
  saddle,
  styblinskiTang,
} from "@gradus/testbed";
import { describe, expect, it } from "vitest";
import { type MinimizeMethod, minimizeObjective, newton } from "../index.js";
import { methodNames } from "./methods.js";

const f64 = (values: readonly number[]) => tensor([...values], { dtype: "f64" });
const every: MinimizeMethod[] = [
  "gradient-descent",
  "cg",
  "bfgs",
  "l-bfgs",
  "newton",
  "newton-cg",
  "trust-region",
  "trust-ncg",
];
const run = ({ f, start }: Challenge, method: MinimizeMethod) =>
  minimizeObjective(objective(f), f64(start), { method });

// Calls of f, gradient and Hessian until SciPy 1.10 is within 1e-10 of the minimum, with its defaults.
const scipy = {
  BFGS: [
    [38, 37],
    [113, 113],
    [17, 17],
    [16, 16],
    [8, 8],
  ],
  "L-BFGS-B": [
    [44, 43],
    [45, 45],
    [16, 16],
    [16, 16],
    [8, 8],
  ],
  CG: [
    [78, 76],
    [63, 63],
    [41, 41],
    [22, 22],
    [9, 9],
  ],
  "trust-exact": [
    [25, 21, 25],
    [23, 21, 23],
    [8, 7, 8],
    [8, 7, 8],
    [7, 7, 7],
  ],
} as const;

describe.each([
  ["bfgs", "BFGS"],
  ["l-bfgs", "L-BFGS-B"],
  ["cg", "CG"],
  ["trust-region", "trust-exact"],
  ["trust-exact", "trust-exact"],
  ["newton", "trust-exact"],
] as const)("%s against SciPy's %s", (method, theirs) => {
  it.each(
    [rosenbrock(), rosenbrock(10), beale, himmelblau, styblinskiTang(5)].map(
      (c, i) => [c.name, c, i] as const,
    ),
  )("needs at most 1.2 times the calls, to its own end: %s", async (_, challenge, i) => {
    const { value, success, evaluations } = await run(challenge, method);
    expect(success).toBe(true);
    expect(value).toBeLessThan(challenge.least + 1e-10);
    const [f, g, h = 0] = scipy[theirs][i] as readonly number[];
    expect(evaluations.value).toBeLessThanOrEqual(1.2 * (f as number));
    expect(evaluations.gradient).toBeLessThanOrEqual(1.2 * (g as number));
    expect(evaluations.hessian).toBeLessThanOrEqual(1.2 * h);
  });
});

describe("saddles", () => {
  it.each(every)("are left, and not reported as success: %s", async (method) => {
    for (const start of [
      [0.01, 0],
      [0, 0],
    ]) {
      const r = await run({ ...boundedMonkeySaddle, start }, method);
      expect([r.success, r.critical, r.reason]).toEqual([true, "minimum", "converged"]);
      expect(r.value).toBeLessThan(-105);
    }
  });

  it.each(every)("are named, where descent stops: %s", async (method) => {
    const f = objective(boundedMonkeySaddle.f);
    const r = await minimizeObjective(f, f64([0, 0]), { method, perturbations: 0 });
    expect([r.success, r.critical, r.reason, r.value]).toEqual([false, "flat", "converged", 0]);
    const s = await minimizeObjective(objective(saddle.f), f64([0, 0]), { method, perturbations: 0 });
    expect([s.success, s.critical]).toEqual([false, "saddle"]);
    expect(s.curvature?.least).toBeCloseTo(-2, 12);
    expect(s.curvature?.greatest).toBeCloseTo(2, 12);
  });

  it("that fall without end are no success", async () => {
    for (const challenge of [saddle, monkeySaddle]) {
      for (const method of ["bfgs", "newton-cg"] as const) {
        const r = await run(challenge, method);
        expect(r.success).toBe(false);
        expect(Number.isFinite(r.value)).toBe(true);
        expect(r.value).toBeLessThan(-1e6);
      }
    }
  });

  it("in a plain are flat, and maxima are maxima", async () => {
    const pit = objective(plateau().f);
    const far = await minimizeObjective(pit, f64([9, 9]), { perturbations: 0 });
    expect([far.success, far.critical, far.reason]).toEqual([false, "flat", "converged"]);
    // By chance a look around finds the pit.
    expect((await minimizeObjective(pit, f64([9, 9]))).value).toBeLessThan(1e-9);
    const hill = objective((x: Tensor) => x.square().sum().neg());
    const top = await minimizeObjective(hill, f64([0, 0]), { perturbations: 0 });
    expect([top.success, top.critical]).toEqual([false, "maximum"]);
  });

  it("with a valley of minima are flat and a success", async () => {
    const valley = objective((x: Tensor) => x.slice([0, 1]).square().sum());
    const r = await minimizeObjective(valley, f64([3, 1]));
    expect([r.success, r.critical]).toEqual([true, "flat"]);
    expect(r.curvature?.least).toBeCloseTo(0, 12);
  });
});

describe("many minima", () => {
  const f = objective(rastrigin().f);
  const start = f64(rastrigin().start);

  it("are searched by restarts", async () => {
    const once = await minimizeObjective(f, start, { method: "bfgs" });
    const r = await minimizeObjective(f, start, {
      method: "bfgs",
      restarts: { count: 12, low: -5, high: f64([5, 5]) },
      seed: 1,
    });
    expect(once.value).toBeGreaterThan(5);
    expect(r.value).toBeLessThan(once.value);
    expect(r.evaluations.value).toBeGreaterThan(once.evaluations.value);
  });

  it("are searched by basin hopping, always alike", async () => {
    const hop = () => minimizeObjective(f, start, { method: "bfgs", hops: { count: 40, size: 1 }, seed: 3 });
    const [r, again] = [await hop(), await hop()];
    expect(r.value).toBeLessThan(1e-9);
    expect(again.params.toArray()).toEqual(r.params.toArray());
  });
});

describe("minimizeObjective", () => {
  it("takes trees, an optimizer, and reports each iteration", async () => {
    const seen: number[] = [];
    const f = objective((p: { a: Tensor; b: [Tensor] }) =>
      p.a.sub(1).square().sum().add(p.b[0].square().sum()),
    );
    const r = await minimizeObjective(
      f,
      { a: f64([3, 4]), b: [tensor([[2]], { dtype: "f64" })] },
      { method: newton(), onStep: ({ value }) => seen.push(value) },
    );
    expect(r.params.b[0]?.shape).toEqual([1, 1]);
    expect([seen.length, r.iterations, r.success]).toEqual([1, 1, true]);
    expect(seen[0] ?? 1).toBeLessThan(1e-20);
  });

  it("reports an objective that is not finite, and keeps the start", async () => {
    const r = await minimizeObjective(
      objective((x: Tensor) => x.sqrt().sum()),
      f64([-1]),
    );
    expect([r.reason, r.success, r.critical, r.params.item()]).toEqual(["non-finite", false, undefined, -1]);
  });

  it("stops after so many iterations, without success", async () => {
    const r = await minimizeObjective(objective(rosenbrock().f), f64([-1.2, 1]), { maxIterations: 3 });
    expect([r.reason, r.success, r.iterations]).toEqual(["max-iterations", false, 3]);
  });

  it("gives all memory back but the result's", async () => {
    const device: Backend = interpreter({ collected: false });
    await expectNoLeaks(device, async () => {
      const start = tensor([0.01, 0], { dtype: "f64", device });
      for (const options of [
        {},
        { restarts: { count: 3, low: -1, high: 1 } },
        { hops: { count: 4, size: 3 } },
      ]) {
        const r = await minimizeObjective(objective(boundedMonkeySaddle.f), start, options);
        for (const x of tensorsOf(r.params)) x.dispose();
      }
      start.dispose();
    });
  });

  it.each<[object, string]>([
    [
      { method: "simplex" },
      `unknown method "simplex": use an optimizer, or one of ${methodNames.join(", ")}`,
    ],
    [{ perturbations: -1 }, "perturbations must be a whole number of at least 0, got -1"],
    [{ seed: 0.5 }, "seed must be a whole number"],
    [{ restarts: { count: 0, low: 0, high: 1 } }, "restarts.count must be"],
    [{ restarts: { count: 1, low: Number.NaN, high: 1 } }, "restarts.low must be finite, got NaN"],
    [{ hops: { count: 1, size: -1 } }, "hops.size must be a number of at least 0, got -1"],
    [{ gradientTolerance: -1 }, "gradientTolerance must be"],
  ])("refuses %o", async (options, message) => {
    const refused = minimizeObjective(
      objective((x: Tensor) => x.square().sum()),
      f64([1]),
      options,
    );
    await expect(refused).rejects.toThrow(expect.objectContaining({ code: "invalid-argument" }));
    await expect(refused).rejects.toThrow(message);
  });

  it("refuses an empty tree", async () => {
    const refused = minimizeObjective(
      objective(() => tensor(0)),
      {},
    );
    await expect(refused).rejects.toThrow("minimize: the parameter tree is empty");
  });
});
