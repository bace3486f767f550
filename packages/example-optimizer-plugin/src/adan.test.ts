import { describeOptimizer } from "@gradus/conformance";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adan } from "./index.js";

describeOptimizer("adan", adan);

describe("adan", () => {
  it("takes the paper's steps", () => {
    const [b1, b2, b3] = [0.1, 0.2, 0.3];
    const rule = adan({ lr: 0.1, betas: [b1, b2, b3], weightDecay: 0.5 });
    let params = { w: tensor([2], { dtype: "f64" }) };
    let state = rule.init(params);
    let [p, m, v, n, before] = [2, 0, 0, 0, 0];
    [1, -2, 0.5, 3].forEach((g, t) => {
      const d = t === 0 ? 0 : g - before;
      m = t === 0 ? g : (1 - b1) * m + b1 * g;
      v = (1 - b2) * v + b2 * d;
      n = t === 0 ? g * g : (1 - b3) * n + b3 * (g + (1 - b2) * d) ** 2;
      p = (p - (0.1 * (m + (1 - b2) * v)) / (Math.sqrt(n) + 1e-8)) / (1 + 0.1 * 0.5);
      before = g;
      const next = rule.update({ w: tensor([g], { dtype: "f64" }) }, state, { params });
      params = { w: params.w.add(next.updates.w) };
      state = next.state;
      expect(params.w.item()).toBeCloseTo(p, 13);
    });
  });
});
