import type { Tensor } from "@gradus/core";
import { expectCode } from "../expect-code.js";
import type { DeclareTest, LossSubject } from "./loss-subject.js";

/** What a loss must not take. */
export function refusals(subject: LossSubject, it: DeclareTest): void {
  it("targets of another number of samples", () => {
    const batch = subject.batch("f32");
    const fewer = (x: Tensor): Tensor => x.slice([0, 1]);
    expectCode(() => subject.call({ ...batch, targets: fewer(batch.targets) }), "shape-mismatch");
    expectCode(() => subject.call({ ...batch, predictions: fewer(batch.predictions) }), "shape-mismatch");
  });

  it("predictions that are whole numbers", () => {
    const batch = subject.batch("f32");
    expectCode(
      () => subject.call({ ...batch, predictions: batch.predictions.cast("i32") }),
      "dtype-mismatch",
    );
  });
}
