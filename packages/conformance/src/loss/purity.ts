import { grad, valueAndGrad } from "@gradus/autograd";
import { interpreter, type Tensor } from "@gradus/core";
import { compile, scope } from "@gradus/tensor";
import { assert } from "vitest";
import { expectNoLeaks } from "../no-leaks.js";
import { type Batch, type DeclareTest, expectAlike, type LossSubject } from "./loss-subject.js";

/** That a loss is a function: of its arguments alone, compiled or not, and leaves nothing behind. */
export function purity(subject: LossSubject, it: DeclareTest): void {
  it("is the same compiled, with its gradient", async () => {
    const device = await subject.device();
    const batch = subject.batch("f32", device);
    const both = ({ targets, ...rest }: Batch) =>
      valueAndGrad((predictions: Tensor) => subject.call({ predictions, targets }))(rest.predictions);
    const [value, gradient] = both(batch);
    const step = compile(both);
    for (let i = 0; i < 2; i++) {
      const [compiledValue, compiledGradient] = step(batch);
      await expectAlike(compiledValue, value, "the loss");
      await expectAlike(compiledGradient, gradient, "the gradient");
    }
    step.dispose();
  });

  it("changes nothing and gives the same twice", async () => {
    const batch = subject.batch("f32");
    const before = [batch.predictions, batch.targets].map((x) => [...x.data()]);
    const [first, second] = [subject.call(batch), subject.call(batch)];
    assert.deepEqual([...first.data()], [...second.data()]);
    assert.deepEqual(
      [batch.predictions, batch.targets].map((x) => [...x.data()]),
      before,
    );
  });

  it("leaves no memory behind", () => {
    const device = interpreter({ collected: false });
    const batch = subject.batch("f32", device);
    const gradient = grad((predictions: Tensor) => subject.call({ ...batch, predictions }));
    expectNoLeaks(device, () => gradient(batch.predictions).dispose());
    expectNoLeaks(device, () => scope(() => subject.call(batch)).dispose());
    for (const x of [batch.predictions, batch.targets]) x.dispose();
  });
}
