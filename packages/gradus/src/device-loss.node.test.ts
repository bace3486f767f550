import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gpu } from "@gradus/backend-gpu";
import { isGradusError } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { linear, relu, sequential } from "@gradus/nn";
import { adam } from "@gradus/optimizers";
import { setDefaultDevice, tensor } from "@gradus/tensor";
import { type Callback, checkpoint, fit } from "@gradus/train";
import { expect, it } from "vitest";
import { create } from "webgpu";

/** WebGPU in Node; `devices` are those that were made. */
function watchedGpu(devices: GPUDevice[]): GPU {
  const api = create([]) as GPU;
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter> => {
    const adapter = (await api.requestAdapter(options)) as GPUAdapter;
    const { requestDevice } = adapter;
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice.call(adapter, descriptor);
      devices.push(device);
      return device;
    };
    return adapter;
  };
  return new Proxy(api, {
    get: (target, name) => (name === "requestAdapter" ? requestAdapter : Reflect.get(target, name)),
  });
}

const model = sequential(linear(3, 8), relu(), linear(8, 3));

/** Trains on the default device, which holds the data too. */
function train(more: { readonly callbacks?: readonly Callback[]; readonly resume?: string }) {
  const rows = 24;
  const x = Float32Array.from({ length: 3 * rows }, (_, i) => Math.sin(i * 12.9898));
  const data = {
    x: tensor(x, { shape: [rows, 3] }),
    y: tensor(Int32Array.from({ length: rows }, (_, i) => i % 3)),
  };
  const optimizer = adam({ lr: 0.05 });
  const fixed = { loss: crossEntropy, optimizer, train: data, epochs: 4, batchSize: 8, seed: 1 };
  return fit(model, { ...fixed, progress: false, ...more });
}

it("a training goes on from its checkpoint on a new device, when the card was lost", async () => {
  const devices: GPUDevice[] = [];
  const api = watchedGpu(devices);
  const path = join(mkdtempSync(join(tmpdir(), "gradus-")), "lost.gradus");

  const first = await gpu({ gpu: api });
  setDefaultDevice(first);
  const unbroken = await (await train({})).toBytes();

  const lose: Callback = {
    name: "lose",
    onStepEnd: ({ run }) => {
      // In the third epoch of three steps.
      if (run.step === 8) devices[0]?.destroy();
    },
  };
  const broken = await train({ callbacks: [checkpoint({ path }), lose] }).then(
    () => undefined,
    (error) => error,
  );
  expect(isGradusError(broken, "device-lost"), String(broken)).toBe(true);

  const second = await gpu({ gpu: api });
  setDefaultDevice(second);
  const continued = await train({ resume: path });
  expect(continued.epoch).toBe(4);
  expect(await continued.toBytes()).toEqual(unbroken);
  await second.dispose();
});
