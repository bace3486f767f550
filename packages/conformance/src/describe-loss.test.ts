import { fail, formatShape, type Loss, type Reduction, sameShape, type Tensor } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { describeLoss, type LossSuiteOptions } from "./describe-loss.js";
import { type AnyLoss, type DeclareTest, LossSubject } from "./loss/loss-subject.js";
import { lossTests } from "./loss/loss-tests.js";

/** A loss as somebody else's package may have it: one function of type `Loss`. */
const cauchy: Loss<{ readonly reduction?: Reduction; readonly scale?: number }> = (
  predictions,
  targets,
  options = {},
) => {
  const { reduction = "mean", scale = 1 } = options;
  if (!sameShape(predictions.shape, targets.shape)) {
    fail(
      "shape-mismatch",
      `cauchy: ${formatShape(predictions.shape)} and ${formatShape(targets.shape)} differ`,
    );
  }
  if (predictions.dtype === "i32") fail("dtype-mismatch", "cauchy: predictions must be floats");
  const losses = predictions.sub(targets).div(scale).square().log1p();
  if (reduction === "none") return losses;
  if (reduction === "sum") return losses.sum();
  return reduction === "mean" ? losses.mean() : fail("invalid-argument", `cauchy: reduction ${reduction}`);
};

describeLoss("a plugin's loss", cauchy, { options: { scale: 2 }, unreducedShape: [3, 2] });

describeLoss("the least that is a loss", (p, t) => p.sub(t).square().mean(), {
  reductions: ["mean"],
  refuses: false,
});

/** Titles of the tests that a loss fails. */
async function failures(loss: AnyLoss, options: LossSuiteOptions = {}): Promise<string[]> {
  const tests: { readonly title: string; readonly run: () => void | Promise<void> }[] = [];
  const declare: DeclareTest = (title, run) => {
    tests.push({ title, run });
  };
  for (const part of Object.values(lossTests)) part(new LossSubject(loss, options), declare);
  const failed: string[] = [];
  for (const { title, run } of tests) {
    try {
      await run();
    } catch {
      failed.push(title);
    }
  }
  return failed;
}

const call = cauchy as AnyLoss;
const changed = (change: (loss: Tensor, p: Tensor, t: Tensor) => Tensor): AnyLoss => {
  return (p, t, o) => change(call(p, t, o), p, t);
};
let calls = 0;

describe("describeLoss finds", () => {
  it("nothing in a loss that is right", async () => {
    expect(await failures(call)).toEqual([]);
  });

  it.each<readonly [string, AnyLoss, string]>([
    [
      "a mean that is a sum",
      (p, t, o) =>
        call(p, t, (o as { reduction?: Reduction }).reduction === "none" ? o : { reduction: "sum" }),
      "mean divides that by its count",
    ],
    [
      "another dtype",
      changed((loss) => loss.cast("f32")),
      "gives one number otherwise, the mean by default, in the predictions' dtype",
    ],
    [
      "a gradient that is not the value's",
      changed((loss, p) => loss.add(p.square().sum().detach().sub(p.sum().detach()))),
      "are those of finite differences",
    ],
    [
      "a gradient without a derivative",
      changed((loss, p) => loss.add(p.mul(p.square().detach()).sum().mul(0.5))),
      "can be differentiated again",
    ],
    [
      "an overflow",
      changed((loss, p) => loss.add(p.exp().log1p().mean())),
      "have a finite loss and gradient, in f32",
    ],
    [
      "a NaN in the gradient alone",
      changed((loss, p) => loss.add(p.mul(0).sqrt().mean())),
      "have a finite loss and gradient, in f64",
    ],
    [
      "looking at values while compiling",
      changed((loss, p) => (p.data().length > 0 ? loss : loss.neg())),
      "is the same compiled, with its gradient",
    ],
    [
      "a memory of earlier calls",
      changed((loss) => loss.add(calls++)),
      "changes nothing and gives the same twice",
    ],
    [
      "broadcasting of targets that do not fit",
      (p, t) => p.sub(t).square().mean(),
      "targets of another number of samples",
    ],
    [
      "sample weights that are ignored",
      call,
      "multiplies by sampleWeight, of which the mean is a weighted one",
    ],
  ])("%s", async (_, loss, title) => {
    expect(await failures(loss, { sampleWeight: true })).toContain(title);
  });

  it("memory that is not given back", async () => {
    const loss = changed((value, p) => {
      p.device.alloc(4);
      return value;
    });
    expect(await failures(loss)).toContain("leaves no memory behind");
  });
});
