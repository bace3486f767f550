import { objective } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { rosenbrock, styblinskiTang } from "@gradus/testbed";
import { expect, it } from "vitest";
import { type LbfgsbOptions, lbfgsb, minimizeObjective } from "./index.js";

const f64 = (values: readonly number[]) => tensor([...values], { dtype: "f64" });
const run = (f: (x: Tensor) => Tensor, start: readonly number[], options: LbfgsbOptions) =>
  minimizeObjective(objective(f), f64(start), { method: lbfgsb(options) });

it("finds minima at bounds, inside, and at some of them", async () => {
  const bowl = (x: Tensor) =>
    x
      .sub(f64([3, -3, 0.5]))
      .square()
      .mul(f64([1, 10, 100]))
      .sum();
  const r = await run(bowl, [0, 0, 0], { lower: -1, upper: 2 });
  expect([...r.params.data()].map((v) => Math.round(v * 1e5) / 1e5)).toEqual([2, -1, 0.5]);
  expect([r.reason, r.success]).toEqual(["converged", true]);
});

it("ends where Rosenbrock's valley meets a wall: x = 0.5, y = 0.25", async () => {
  const r = await run(rosenbrock().f, [-1.2, 1], { upper: f64([0.5, 100]), gradientTolerance: 1e-8 });
  const [x, y] = r.params.data() as unknown as [number, number];
  expect(x).toBe(0.5);
  expect(y).toBeCloseTo(0.25, 7);
  expect(r.value).toBeCloseTo(0.25, 10);
  expect(r.reason).toBe("converged");
});

it("never asks outside of the bounds", async () => {
  const seen: number[] = [];
  const f = (x: Tensor) => {
    seen.push(...x.data());
    return x.sqrt().sub(x.mul(0.1)).sum().add(x.sub(0.3).square().mul(3).sum());
  };
  const r = await run(f, [1, 4, 0.2], { lower: 1e-3, upper: 4 });
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(1e-3);
  expect(Math.max(...seen)).toBeLessThanOrEqual(4);
  expect(Number.isFinite(r.value)).toBe(true);
});

it("takes many parameters, half of them at a bound", async () => {
  const n = 40;
  const target = Array.from({ length: n }, (_, i) => Math.sin(i * 1.7) * 2);
  const chain = (x: Tensor) => {
    const bends = x.slice([1, n]).sub(x.slice([0, n - 1]));
    return x.sub(f64(target)).square().sum().add(bends.square().mul(0.5).sum());
  };
  const r = await run(chain, new Array<number>(n).fill(0.5), { lower: 0, upper: 1, gradientTolerance: 1e-9 });
  // The conditions of Karush, Kuhn and Tucker.
  const [, g] = objective(chain).valueAndGrad(r.params, undefined);
  r.params.data().forEach((x, i) => {
    const slope = g.data()[i] as number;
    if (x === 0) expect(slope).toBeGreaterThan(-1e-8);
    else if (x === 1) expect(slope).toBeLessThan(1e-8);
    else expect(Math.abs(slope)).toBeLessThan(1e-7);
  });
  expect([...r.params.data()].filter((x) => x === 0 || x === 1).length).toBeGreaterThan(n / 3);
});

it("is L-BFGS where there are no bounds, or they are far", async () => {
  for (const bounds of [{}, { lower: -100, upper: 100 }]) {
    const r = await run(styblinskiTang(5).f, styblinskiTang(5).start, bounds);
    expect(r.value).toBeCloseTo(styblinskiTang(5).least, 9);
  }
});

it("refuses parameters outside of the bounds, bounds of other shapes, and crossed ones", () => {
  const step = (options: LbfgsbOptions) => () => {
    const optimizer = lbfgsb(options);
    const x = f64([1, 2]);
    return optimizer.step(
      objective((p: Tensor) => p.square().sum()),
      x,
      optimizer.init(x),
      undefined,
    );
  };
  expect(step({ upper: 1.5 })).toThrow("element 1 of the parameters is 2, outside of [-Infinity, 1.5]");
  expect(step({ upper: f64([9]) })).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
  expect(step({ lower: f64([0, 5]), upper: f64([3, 3]) })).toThrow(
    "lower must be at most upper, got 5 and 3",
  );
});
