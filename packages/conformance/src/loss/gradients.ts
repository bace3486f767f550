import { grad, gradcheck } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { assert } from "vitest";
import type { Batch, DeclareTest, LossSubject } from "./loss-subject.js";

/** That gradients are what they should be. */
export function gradients(subject: LossSubject, it: DeclareTest): void {
  const { differentiatesTargets = false, sampleWeight = false } = subject.options;
  /** What the loss is differentiated by, and the batch with that. */
  const variables = (batch: Batch): { readonly [name: string]: Tensor } =>
    differentiatesTargets ? { ...batch } : { predictions: batch.predictions };

  it("are those of finite differences", () => {
    const batch = subject.batch("f64");
    // The sum's is the sum of those of its terms.
    const some = subject.reductions.filter((reduction) => reduction !== "sum");
    for (const reduction of some.length > 0 ? some : subject.reductions) {
      gradcheck((x) => subject.call({ ...batch, ...x }, { reduction }), variables(batch));
    }
  });

  it("can be differentiated again", () => {
    const { predictions, targets } = subject.batch("f64");
    const gradient = grad((x: Tensor) => subject.call({ predictions: x, targets }));
    const values = Float64Array.from({ length: predictions.size }, (_, i) => Math.cos(i + 1));
    const direction = predictions.engine.tensor(values, { dtype: "f64", shape: predictions.shape });
    // The Hessian times a direction, against the difference of the gradients on both sides of the point.
    const product = grad((x: Tensor) => gradient(x).mul(direction).sum());
    const step = direction.mul(1e-6);
    const numeric = gradient(predictions.add(step))
      .sub(gradient(predictions.sub(step)))
      .div(2e-6);
    const error = product(predictions).sub(numeric).abs().max().item();
    const scale = numeric.abs().max().item();
    assert.isAtMost(error, 1e-4 + 1e-3 * scale, "the greatest error of the Hessian times a direction");
  });

  if (sampleWeight)
    it("by sample weights too", () => {
      const batch = subject.batch("f64");
      const weights = subject.weights("f64", batch.predictions.shape[0] as number).add(0.25);
      gradcheck((w: Tensor) => subject.call(batch, { sampleWeight: w }), weights);
    });
}
