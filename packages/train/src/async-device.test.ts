import { type Backend, interpreter, type Tensor } from "@gradus/core";
import { accuracy, crossEntropy, mse } from "@gradus/losses";
import { batchNorm, linear, relu, sequential } from "@gradus/nn";
import { adam } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { blobs } from "./blobs.fixture.js";
import { type Data, earlyStopping, type FitOptions, fit, type NonFiniteError } from "./index.js";

/** The interpreter as a device like a GPU: it can only be read by waiting, and later than it is asked. */
function waitingDevice(): Backend {
  const inner = interpreter({ collected: false });
  return {
    name: "waiting",
    caps: inner.caps,
    alloc: (bytes) => inner.alloc(bytes),
    free: (buffer) => inner.free(buffer),
    write: (buffer, data, at) => inner.write(buffer, data, at),
    read: async (buffer, at, bytes) => {
      const data = await inner.read(buffer, at, bytes);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return data;
    },
    compile: (kernel) => inner.compile(kernel),
    run: (program) => inner.run(program),
    memory: () => inner.memory(),
    dispose: () => inner.dispose(),
  };
}

async function moved({ x, y }: Data, device: Backend): Promise<Data> {
  return { x: await x.to(device), y: await y.to(device) };
}

const model = sequential(linear(2, 8), batchNorm(8), relu(), linear(8, 3));
const data = blobs(50);
const options: FitOptions = {
  loss: crossEntropy,
  optimizer: adam({ lr: 0.02 }),
  train: data,
  validation: data,
  epochs: 4,
  batchSize: 8,
  metrics: { accuracy },
  progress: false,
};

describe("on a device that cannot be read without waiting", () => {
  it("a run is the same, bit for bit, and all memory is given back", async () => {
    const device = waitingDevice();
    const there = await moved(data, device);
    const before = device.memory();
    const callbacks = () => [earlyStopping()];
    const run = await fit(model, { ...options, train: there, validation: there, callbacks: callbacks() });
    const same = await fit(model, { ...options, callbacks: callbacks() });
    expect(await run.toBytes()).toEqual(await same.toBytes());
    expect(run.history).toEqual(same.history);
    expect(await run.evaluate(there)).toEqual(await same.evaluate(data));
    run.dispose();
    expect(device.memory()).toEqual(before);
  });

  it("a bad update is found though later steps were sent, and the run is as before it", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => i);
    const x = rows.map((i) => [i / 40]);
    const bad = { x: tensor(x), y: tensor(rows.map((i) => [i === 7 ? Number.NaN : i])) };
    const common = { ...options, loss: mse, metrics: {}, batchSize: 2 } as const;
    const errorOf = async (train: Data): Promise<NonFiniteError> => {
      const { validation: _, ...rest } = common;
      return fit(linear(1, 1), { ...rest, train }).then(
        () => expect.fail("it should have been rejected"),
        (error) => error,
      );
    };
    const there = await errorOf(await moved(bad, waitingDevice()));
    const here = await errorOf(bad);
    expect(there.code).toBe("non-finite");
    expect(there.message).toBe(here.message);
    expect(there.run.step).toBeGreaterThan(0);
    expect(await there.run.toBytes()).toEqual(await here.run.toBytes());
    const weight = (there.run.params as { weight: Tensor }).weight;
    expect((await weight.read()).every(Number.isFinite)).toBe(true);
  });

  it("skips what is not finite, as everywhere", async () => {
    const rows = [1, 2, 3, 4, 5, 6];
    const bad = { x: tensor(rows.map((x) => [x])), y: tensor(rows.map((x) => [x === 4 ? Number.NaN : x])) };
    const { validation: _, ...rest } = options;
    const skipping = { ...rest, loss: mse, metrics: {}, batchSize: 2, onNonFinite: "skip" } as const;
    const there = await fit(linear(1, 1), { ...skipping, train: await moved(bad, waitingDevice()) });
    const here = await fit(linear(1, 1), { ...skipping, train: bad });
    expect(there.skipped).toBe(4);
    expect(await there.toBytes()).toEqual(await here.toBytes());
  });
});
