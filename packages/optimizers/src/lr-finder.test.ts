import { valueAndGrad } from "@gradus/autograd";
import { expectNoLeaks } from "@gradus/conformance";
import { interpreter } from "@gradus/core";
import { compile, type Tensor, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adam, type LrFinderOptions, lrFinder, sgd } from "./index.js";

const f64 = (...values: number[]) => tensor(values, { dtype: "f64" });
/** Half of x^2 + 4 y^2: steps of gradient descent multiply x by 1 - lr, and y by 1 - 4 lr. */
const loss = (p: { readonly w: Tensor }) =>
  p.w
    .square()
    .mul(tensor([0.5, 2], { dtype: "f64" }))
    .sum();
const gradient = valueAndGrad(loss);
const start = () => ({ w: f64(3, 1) });

describe("lrFinder", () => {
  it("sees what gradient descent with rising rates sees", async () => {
    const options = { from: 1e-3, to: 10, steps: 41, smoothing: 0, divergence: 1.5 };
    const { rates, losses, smoothed, stopped, suggestion, minimum } = await lrFinder(
      sgd,
      start(),
      gradient,
      options,
    );
    let [x, y] = [3, 1];
    const want: number[] = [];
    rates.forEach((rate, i) => {
      expect(rate).toBeCloseTo(1e-3 * 10 ** (i / 10), 12);
      want.push((x * x + 4 * y * y) / 2);
      x *= 1 - rate;
      y *= 1 - 4 * rate;
    });
    expect(losses).toEqual(want.map((value) => expect.closeTo(value, 12)));
    expect(smoothed).toEqual(losses);
    expect(stopped).toBe("diverged");
    expect(rates.length).toBeLessThan(41);
    expect(minimum).toBe(rates[losses.indexOf(Math.min(...losses))]);
    const falls = rates.map((_, i) => ((losses[i + 1] ?? Infinity) - (losses[i - 1] ?? -Infinity)) / 2);
    expect(suggestion).toBe(rates[falls.indexOf(Math.min(...falls))]);
    expect(suggestion).toBeLessThan(minimum);
  });

  it("smooths with neighbours on both sides", async () => {
    const { losses, smoothed } = await lrFinder(adam, start(), compile(gradient), {
      steps: 3,
      smoothing: 0.5,
    });
    const [a, b, c] = losses as [number, number, number];
    const want = [(a + b / 2 + c / 4) / 1.75, (a / 2 + b + c / 2) / 2, (a / 4 + b / 2 + c) / 1.75];
    expect(smoothed).toEqual(want.map((value) => expect.closeTo(value, 12)));
  });

  it("leaves the parameters as they are, and no memory behind", async () => {
    const device = interpreter({ collected: false });
    await expectNoLeaks(device, async () => {
      const params = { w: tensor([3, 1], { device }) };
      const curve = await lrFinder(
        ({ lr }) => sgd({ lr, momentum: 0.9 }),
        params,
        valueAndGrad((p: typeof params) => p.w.square().sum()),
        { from: 1e-3, to: 0.1, steps: 20 },
      );
      expect(curve.stopped).toBe("finished");
      expect(params.w.toArray()).toEqual([3, 1]);
      params.w.dispose();
    });
  });

  it("passes the number of the step on, for batches", async () => {
    const steps: number[] = [];
    const at = (p: { readonly w: Tensor }, step: number) => {
      steps.push(step);
      return gradient(p);
    };
    await lrFinder(sgd, start(), at, { from: 1e-4, to: 1e-3, steps: 3 });
    expect(steps).toEqual([0, 1, 2]);
  });

  it("has no suggestion where the loss never falls, and stops at what is not finite", async () => {
    const flat = (p: { readonly w: Tensor }) => [tensor(1), { w: p.w.zerosLike() }] as const;
    expect((await lrFinder(sgd, start(), flat, { steps: 5 })).suggestion).toBe(undefined);
    const spoiled = (p: { readonly w: Tensor }, step: number) =>
      [tensor(step < 3 ? 1 : Number.NaN), { w: p.w.zerosLike() }] as const;
    const curve = await lrFinder(sgd, start(), spoiled, { steps: 9 });
    expect([curve.stopped, curve.losses]).toEqual(["non-finite", [1, 1, 1]]);
    const never = (p: { readonly w: Tensor }) => [tensor(Infinity), p] as const;
    await expect(lrFinder(sgd, start(), never)).rejects.toThrow(
      "the loss is Infinity before the first update",
    );
  });

  it("draws the curve, with numbers alone in its coordinates", async () => {
    const svg = (await lrFinder(sgd, start(), gradient, { from: 1e-3, to: 10 })).toSVG();
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[\s\S]*<\/svg>$/);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg).toContain("falls fastest");
    const flat = (p: { readonly w: Tensor }) => [tensor(1), { w: p.w.zerosLike() }] as const;
    expect((await lrFinder(sgd, start(), flat, { steps: 5 })).toSVG()).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each<[LrFinderOptions, string]>([
    [{ from: 0 }, "from must be a number above 0, got 0"],
    [{ from: 1, to: 1 }, "from must be less than to = 1, got 1"],
    [{ steps: 1 }, "steps must be a whole number of at least 2"],
    [{ smoothing: 1 }, "smoothing must be in [0, 1), got 1"],
    [{ divergence: 1 }, "divergence must be a number above 1, got 1"],
  ])("refuses %o", async (options, message) => {
    await expect(lrFinder(sgd, start(), gradient, options)).rejects.toThrow(`lrFinder: ${message}`);
  });
});
