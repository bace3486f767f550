import type { Tensor } from "@gradus/core";
import { mse } from "@gradus/losses";
import { linear } from "@gradus/nn";
import { sgd } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type Callback, earlyStopping, type FitOptions, fit } from "./index.js";

const data = { x: tensor([[1], [2]]), y: tensor([[2], [4]]) };

/** A training whose metric `score` takes the given values, epoch by epoch. */
function scripted(values: readonly number[]): { readonly options: FitOptions; readonly weights: number[] } {
  const weights: number[] = [];
  const script: Callback = {
    name: "script",
    onEpochEnd({ run }) {
      const log = run.history.at(-1) as { validation: Record<string, number> };
      log.validation.score = values[run.epoch - 1] as number;
      weights.push((run.params as { weight: Tensor }).weight.item());
    },
  };
  const options = {
    loss: mse,
    optimizer: sgd({ lr: 0.01 }),
    train: data,
    validation: data,
    epochs: values.length,
    metrics: { score: mse },
    callbacks: [script],
    progress: false,
  };
  return { options, weights };
}

async function run(values: readonly number[], stopping: Callback) {
  const { options, weights } = scripted(values);
  const result = await fit(linear(1, 1), { ...options, callbacks: [...(options.callbacks ?? []), stopping] });
  return { result, weights };
}

const score = { monitor: "validation score", mode: "min" } as const;

describe("earlyStopping", () => {
  it("stops after so many epochs without improvement, and predicts with the best", async () => {
    const { result, weights } = await run([5, 3, 4, 3, 3.5, 1], earlyStopping({ ...score, patience: 3 }));
    expect(result).toMatchObject({ stopped: "early-stopping", epoch: 5, bestEpoch: 2 });
    expect(result.params.weight.item()).toBe(weights[1]);
    expect(weights[4]).not.toBe(weights[1]);
    const [slope, bias] = [result.params.weight.item(), result.params.bias.item()];
    expect(result.predict(tensor([[10]])).item()).toBeCloseTo(10 * slope + bias, 4);
  });

  it("keeps the last parameters with restoreBest: false", async () => {
    const { result, weights } = await run(
      [5, 3, 4, 4, 1],
      earlyStopping({ ...score, patience: 2, restoreBest: false }),
    );
    expect(result).toMatchObject({ stopped: "early-stopping", epoch: 4, bestEpoch: undefined });
    expect(result.params.weight.item()).toBe(weights[3]);
  });

  it("restores the best also when the epochs run out first", async () => {
    const { result, weights } = await run([5, 3, 4], earlyStopping(score));
    expect(result).toMatchObject({ stopped: "finished", epoch: 3, bestEpoch: 2 });
    expect(result.params.weight.item()).toBe(weights[1]);
  });

  it("counts only improvements of more than minDelta", async () => {
    const { result } = await run(
      [5, 4.9, 4.8, 4.4, 1],
      earlyStopping({ ...score, patience: 2, minDelta: 0.5 }),
    );
    expect(result).toMatchObject({ stopped: "early-stopping", epoch: 3, bestEpoch: 1 });
  });

  it("takes more for better with mode max, and NaN never", async () => {
    const stopping = earlyStopping({ monitor: "validation score", mode: "max", patience: 2 });
    const { result } = await run([Number.NaN, 0.5, 0.6, Number.NaN, 0.5, 1], stopping);
    expect(result).toMatchObject({ stopped: "early-stopping", epoch: 5, bestEpoch: 3 });
  });

  it("watches the validation loss, or the loss where there is no validation", async () => {
    const { options } = scripted([0, 0, 0, 0]);
    const { validation: _, callbacks: __, metrics: ___, ...rest } = options;
    // Climbing: the loss gets worse from the first epoch on.
    const worse = { ...rest, optimizer: sgd({ lr: 0.01, maximize: true }) };
    for (const more of [{}, { validation: data }]) {
      const result = await fit(linear(1, 1), {
        ...worse,
        ...more,
        callbacks: [earlyStopping({ patience: 2 })],
      });
      expect(result).toMatchObject({ stopped: "early-stopping", epoch: 3, bestEpoch: 1 });
    }
  });

  it("may be used for a second training", async () => {
    const stopping = earlyStopping({ ...score, patience: 2 });
    for (let i = 0; i < 2; i++) {
      const { result } = await run([5, 6, 7, 8], stopping);
      expect(result).toMatchObject({ epoch: 3, bestEpoch: 1 });
    }
  });

  it("rejects what cannot work", async () => {
    const code = "invalid-argument";
    const rejects = (options: object) =>
      expect(() => earlyStopping(options)).toThrow(expect.objectContaining({ code }));
    rejects({ patience: 0 });
    rejects({ minDelta: -1 });
    rejects({ mode: "best" });
    rejects({ monitor: "validation accuracy" });
    await expect(run([1], earlyStopping({ monitor: "validation acc", mode: "max" }))).rejects.toMatchObject({
      code,
      message:
        'earlyStopping: there is no score "validation acc". There are loss, score, validation loss, validation score',
    });
  });
});
