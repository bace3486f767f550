import { objective } from "@gradus/autograd";
import { describeOptimizer } from "@gradus/conformance";
import { type Tensor, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { curvatureDescent } from "./index.js";

describeOptimizer("curvatureDescent", () => curvatureDescent(), { steps: 20 });

describe("curvatureDescent", () => {
  it("reaches the minimum of a sum of squares in one step", async () => {
    const optimizer = curvatureDescent();
    const f = objective((x: Tensor) => x.sub(3).square().sum());
    const from = tensor([1, -7]);
    const first = await optimizer.step(f, from, optimizer.init(from), undefined);
    expect(first.params.toArray()).toEqual([3, 3]);
    expect(first.evaluations).toEqual({ value: 2, gradient: 1, hvp: 1, hessian: 0 });
    const second = await optimizer.step(f, first.params, first.state, undefined);
    expect(second.reason).toBe("converged");
  });

  it("goes down where the curvature is negative", async () => {
    const optimizer = curvatureDescent();
    const f = objective((x: Tensor) => x.square().neg().sum());
    const step = await optimizer.step(f, tensor([1]), optimizer.init(tensor([1])), undefined);
    expect(step.params.toArray()).toEqual([1.2000000476837158]);
  });
});
