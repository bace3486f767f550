import { valueAndGrad } from "@gradus/autograd";
import { interpreter, type Tensor } from "@gradus/core";
import { assert } from "vitest";
import type { DeclareTest, LossSubject } from "./loss-subject.js";

/** That nothing overflows, whatever a network gives. */
export function stability(subject: LossSubject, it: DeclareTest): void {
  const { differentiatesTargets = false } = subject.options;
  const options = subject.knows("sum") ? ({ reduction: "sum" } as const) : {};
  const places = [
    ["f64", () => interpreter()],
    ["f32", () => interpreter({ precision: "float32" })],
  ] as const;

  for (const [dtype, make] of places) {
    it(`have a finite loss and gradient, in ${dtype}`, () => {
      const { predictions, targets } = subject.extremes(dtype, make());
      const variables = differentiatesTargets ? { predictions, targets } : { predictions };
      const [loss, gradients] = valueAndGrad((x: { readonly [name: string]: Tensor }) =>
        subject.call({ predictions, targets, ...x }, options),
      )(variables);
      assert.isTrue(Number.isFinite(loss.item()), `the loss is ${loss.item()}`);
      for (const [name, gradient] of Object.entries(gradients)) {
        const wrong = gradient.data().findIndex((x) => !Number.isFinite(x));
        if (wrong < 0) continue;
        const given = (variables as { readonly [name: string]: Tensor })[name]?.data()[wrong];
        assert.fail(`the gradient by element ${wrong} of ${name}, ${given}, is ${gradient.data()[wrong]}`);
      }
    });
  }
}
