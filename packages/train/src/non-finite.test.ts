import type { Rule, Tensor } from "@gradus/core";
import { mse } from "@gradus/losses";
import { linear } from "@gradus/nn";
import { adam, sgd } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { fit, NonFiniteError, type Run } from "./index.js";

const rows = [1, 2, 3, 4, 5, 6];
const good = { x: tensor(rows.map((x) => [x])), y: tensor(rows.map((x) => [2 * x])) };
/** One bad row in six: some batch of each epoch has it. */
const bad = { x: good.x, y: tensor(rows.map((x) => [x === 4 ? Number.NaN : 2 * x])) };
const options = { loss: mse, optimizer: adam({ lr: 0.01 }), epochs: 4, batchSize: 2, progress: false };
const flat = (run: Run) => Object.values(run.params as Record<string, Tensor>).flatMap((p) => [...p.data()]);

async function failureOf(promise: Promise<unknown>): Promise<NonFiniteError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NonFiniteError);
  return error as NonFiniteError;
}

describe("a loss that is not finite", () => {
  it("ends the training with an error that names the place and has the run from before", async () => {
    const stopped: unknown[] = [];
    const note = { name: "note", onTrainEnd: ({ run }: { run: Run }) => void stopped.push(run.stopped) };
    const error = await failureOf(fit(linear(1, 1), { ...options, train: bad, callbacks: [note] }));
    expect(error).toMatchObject({ name: "GradusError", code: "non-finite" });
    expect(error.message).toMatch(/^fit: the loss is NaN at epoch 1, step [123] of 3 \(step [123] in all\)/);
    const { run } = error;
    expect(run.stopped).toBeUndefined();
    expect(stopped).toEqual([undefined]);
    expect(flat(run).every(Number.isFinite)).toBe(true);
    expect(run.predict(good.x).isFinite().all().item()).toBe(1);

    // Exactly what good data give up to there, and it goes on from there.
    const { step } = run;
    expect(run.optimizerState.step.value).toBe(step);
    const same = await fit(linear(1, 1), {
      ...options,
      train: good,
      callbacks: [
        {
          name: "stop",
          onTrainBegin: (c) => void (step === 0 && c.stop()),
          onStepEnd: (c) => void (c.run.step === step && c.stop()),
        },
      ],
    });
    expect(flat(run)).toEqual(flat(same));
    const mended = await fit(linear(1, 1), { ...options, train: good, resume: await run.toBytes() });
    const unbroken = await fit(linear(1, 1), { ...options, train: good });
    expect(flat(mended)).toEqual(flat(unbroken));
  });

  it("is skipped if wished, as if the batch were not there, and counted", async () => {
    const run = await fit(linear(1, 1), { ...options, train: bad, onNonFinite: "skip" });
    expect(run).toMatchObject({ stopped: "finished", step: 12, skipped: 4 });
    expect(run.optimizerState.step.value).toBe(8);
    expect(flat(run).every(Number.isFinite)).toBe(true);
    expect(run.history.every((log) => Number.isFinite(log.train.loss))).toBe(true);
    const resumed = await fit(linear(1, 1), {
      ...options,
      train: bad,
      onNonFinite: "skip",
      resume: await (
        await fit(linear(1, 1), { ...options, epochs: 2, train: bad, onNonFinite: "skip" })
      ).toBytes(),
    });
    expect(await resumed.toBytes()).toEqual(await run.toBytes());
  });
});

describe("an update that is not finite", () => {
  it("is not done, though the loss was finite", async () => {
    const plain = sgd({ lr: 0.1 });
    const overflowing: Rule = {
      ...plain,
      update: (grads, state, context) => {
        const next = plain.update(grads, state, context);
        // The third update divides by zero.
        const factor = state.step.map((t) => (t === 2 ? Infinity : 1));
        const updates = { ...next.updates, weight: (next.updates as { weight: Tensor }).weight.mul(factor) };
        return { ...next, updates: updates as typeof next.updates };
      },
    };
    const error = await failureOf(fit(linear(1, 1), { ...options, train: good, optimizer: overflowing }));
    expect(error.message).toContain(
      "an update would make a parameter or state NaN or infinite at epoch 1, step 3",
    );
    expect(error.run.step).toBe(2);
    expect(flat(error.run).every(Number.isFinite)).toBe(true);
  });
});
