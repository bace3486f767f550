import { formatShape, type Reduction, type Tensor } from "@gradus/core";
import { assert } from "vitest";
import { expectCode } from "../expect-code.js";
import { type DeclareTest, expectAlike, expectNear, type LossSubject } from "./loss-subject.js";

/** Shapes, dtypes, what the reductions mean, and weights. */
export function reductions(subject: LossSubject, it: DeclareTest): void {
  const { meanDivisor, unreducedShape, sampleWeight = false, empty = true } = subject.options;
  const has = (...names: Reduction[]): boolean => names.every((name) => subject.knows(name));

  if (has("none"))
    it("none keeps the samples", () => {
      const batch = subject.batch("f32");
      const { shape } = subject.call(batch, { reduction: "none" });
      if (unreducedShape !== undefined) assert.deepEqual([...shape], [...unreducedShape]);
      const samples = batch.predictions.shape[0];
      assert.equal(shape[0], samples, `${samples} samples have losses ${formatShape(shape)}`);
    });

  it("gives one number otherwise, the mean by default, in the predictions' dtype", () => {
    for (const dtype of ["f32", "f64"] as const) {
      const batch = subject.batch(dtype);
      const usual = subject.call(batch);
      assert.equal(usual.dtype, dtype);
      assert.deepEqual([...usual.shape], []);
      for (const reduction of subject.reductions) {
        const loss = subject.call(batch, { reduction });
        assert.equal(loss.dtype, dtype, reduction);
        if (reduction !== "none") assert.equal(loss.ndim, 0, reduction);
        if (reduction === "mean") expectNear(usual.item(), loss.item(), "without a reduction it");
      }
    }
  });

  if (has("none", "sum"))
    it("sum adds up what none gives", () => {
      const batch = subject.batch("f64");
      const each = subject.call(batch, { reduction: "none" });
      expectNear(subject.call(batch, { reduction: "sum" }).item(), each.sum().item(), "the sum");
    });

  if (has("none", "mean") && meanDivisor !== false)
    it("mean divides that by its count", () => {
      const batch = subject.batch("f64");
      const each = subject.call(batch, { reduction: "none" });
      const divisor = typeof meanDivisor === "function" ? meanDivisor(each) : each.size;
      expectNear(subject.call(batch, { reduction: "mean" }).item(), each.sum().item() / divisor, "the mean");
    });

  if (empty)
    it("of nothing: no losses, sum 0, mean NaN", () => {
      const batch = subject.nothing("f32");
      if (has("none")) assert.equal(subject.call(batch, { reduction: "none" }).size, 0);
      if (has("sum")) assert.equal(Math.abs(subject.call(batch, { reduction: "sum" }).item()), 0);
      if (has("mean")) assert.isNaN(subject.call(batch, { reduction: "mean" }).item());
    });

  if (subject.options.reductions === undefined)
    it("refuses another one", () => {
      const reduction = "average" as Reduction;
      expectCode(() => subject.call(subject.batch("f32"), { reduction }), "invalid-argument");
    });

  if (sampleWeight)
    it("multiplies by sampleWeight, of which the mean is a weighted one", async () => {
      const batch = subject.batch("f64");
      const each = subject.call(batch, { reduction: "none" });
      const samples = each.shape[0] as number;
      const weights = subject.weights("f64", samples);
      const weighted = subject.call(batch, { reduction: "none", sampleWeight: weights });
      const perSample = (x: Tensor): Tensor => x.reshape([samples, x.size / samples]).sum(1);
      await expectAlike(perSample(weighted), perSample(each).mul(weights), "unreduced");
      const sum = subject.call(batch, { reduction: "sum", sampleWeight: weights }).item();
      expectNear(sum, weighted.sum().item(), "the sum");
      const mean = subject.call(batch).item();
      const alike = subject.call(batch, { sampleWeight: weights.zerosLike().add(3) }).item();
      expectNear(alike, mean, "the mean with equal weights");
      // Whatever counts in the mean, a weight of 0 takes it out and a weight of 2 counts it twice.
      const one = weights.zerosLike().data();
      one[0] = 1;
      const first = weights.engine.tensor(one, { dtype: "f64", shape: [samples] });
      const [a, b] = [first, weights.onesLike().sub(first)];
      const [meanA, meanB] = [a, b].map((w) => subject.call(batch, { sampleWeight: w }).item()) as [
        number,
        number,
      ];
      const [least, most] = [Math.min(meanA, meanB), Math.max(meanA, meanB)];
      // Not a number: the mean of one part is that of nothing.
      assert.isTrue(
        Number.isNaN(least) || (mean >= least - 1e-9 && mean <= most + 1e-9),
        "the mean lies between those of two parts",
      );
      expectCode(() => subject.call(batch, { sampleWeight: weights.neg() }), "invalid-argument");
      const longer = weights.engine.full([samples + 1], 1, { dtype: "f64" });
      expectCode(() => subject.call(batch, { sampleWeight: longer }), "shape-mismatch");
    });
}
