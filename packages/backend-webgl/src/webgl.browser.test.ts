import { valueAndGrad } from "@gradus/autograd";
import { interpreter, isGradusError, type Tensor } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { conv2d, flatten, linear, maxPool2d, relu, sequential } from "@gradus/nn";
import { adam, applyUpdates } from "@gradus/optimizers";
import { compile, key, setDefaultDevice, tensor } from "@gradus/tensor";
import { afterEach, expect, it, vi } from "vitest";
import { webgl } from "./webgl.js";

afterEach(() => vi.restoreAllMocks());

/** The losses of compiled steps of a small convolutional network. */
async function losses(steps: number): Promise<number[]> {
  const model = sequential(conv2d(1, 4, 3), relu(), maxPool2d(2), flatten(), linear(36, 5));
  const { params, state } = model.init(key(1));
  const rule = adam({ lr: 0.01 });
  const x = key(2).normal([10, 1, 8, 8]);
  const y = tensor(
    Array.from({ length: 10 }, (_, i) => (3 * i) % 5),
    { dtype: "i32" },
  );
  const step = compile(
    (p: typeof params, s: ReturnType<typeof rule.init<typeof params>>) => {
      const loss = (q: typeof params): Tensor =>
        crossEntropy(model.apply(q, state, x, { train: true })[0], y);
      const [value, grads] = valueAndGrad(loss)(p);
      const { updates, state: next } = rule.update(grads, s, { params: p });
      return { p: applyUpdates(p, updates), s: next, loss: value };
    },
    { donate: [0, 1] },
  );
  const seen: number[] = [];
  let [p, s] = [params, rule.init(params)];
  for (let k = 0; k < steps; k++) {
    const result = step(p, s);
    [p, s] = [result.p, result.s];
    seen.push((await result.loss.read())[0] as number);
    result.loss.dispose();
  }
  return seen;
}

it("trains a convolutional network as the interpreter does", async () => {
  setDefaultDevice(interpreter({ precision: "float32" }));
  const expected = await losses(8);
  const device = await webgl();
  setDefaultDevice(device);
  const seen = await losses(8);
  expect(seen.at(-1)).toBeLessThan(seen[0] as number);
  seen.forEach((loss, k) => {
    expect(loss).toBeCloseTo(expected[k] as number, 4);
  });
  await device.dispose();
});

it("makes no more textures than it gives back", async () => {
  const device = await webgl();
  setDefaultDevice(device);
  await losses(3);
  const made = vi.spyOn(WebGL2RenderingContext.prototype, "createTexture");
  const given = vi.spyOn(WebGL2RenderingContext.prototype, "deleteTexture");
  await losses(3);
  const [few, fewGiven] = [made.mock.calls.length, given.mock.calls.length];
  await losses(13);
  const [many, manyGiven] = [made.mock.calls.length, given.mock.calls.length];
  // Ten steps more leave nothing more.
  expect(many - few - (manyGiven - fewGiven)).toBe(few - fewGiven);
  await device.dispose();
});

it("keeps what stays on the card there", async () => {
  const device = await webgl();
  setDefaultDevice(device);
  const f = compile((x: Tensor) => x.matmul(x).tanh().softmax(-1));
  const x = key(0).normal([16, 16]);
  await f(x).read();
  const read = vi.spyOn(WebGL2RenderingContext.prototype, "readPixels");
  let y = x;
  for (let k = 0; k < 5; k++) y = f(y);
  expect(read).not.toHaveBeenCalled();
  await y.read();
  expect(read).toHaveBeenCalledTimes(1);
  await device.dispose();
});

it("says that the browser took the context away, and works again with a new one", async () => {
  const contexts = vi.spyOn(OffscreenCanvas.prototype, "getContext");
  const device = await webgl();
  const context = contexts.mock.results[0]?.value as WebGL2RenderingContext;
  setDefaultDevice(device);
  const x = tensor([1, 2, 3]).add(1);
  await x.read();
  context.getExtension("WEBGL_lose_context")?.loseContext();
  const error = await device.lost;
  expect(isGradusError(error, "device-lost")).toBe(true);
  await expect(x.read()).rejects.toSatisfy((e) => isGradusError(e, "device-lost"));
  expect(() => device.alloc(4)).toThrow(expect.objectContaining({ code: "device-lost" }));
  const again = await webgl();
  setDefaultDevice(again);
  expect([...(await tensor([1, 2, 3]).add(1).read())]).toEqual([2, 3, 4]);
  await again.dispose();
});

// Those from 10,000 on are taken apart by the digits of 2/pi.
it("has the sine and the cosine of angles of any size", async () => {
  const device = await webgl();
  const angles = Float32Array.from([9999.5, 10000.36, 54321, -123456.7, 1e6, 8388609, 1e10, -1e20, 3e38]);
  const x = tensor(angles, { device });
  for (const name of ["sin", "cos"] as const) {
    const found = await compile((y: Tensor) => y[name]())(x).read();
    angles.forEach((angle, i) => {
      expect(found[i], `${name}(${angle})`).toBeCloseTo(Math[name](angle), 6);
    });
  }
  await device.dispose();
});

it("knows that a software driver is one", async () => {
  const device = await webgl();
  expect(device.adapter).toMatch(/swiftshader/i);
  expect(device.isSoftware).toBe(true);
  await device.dispose();
});
