import { setDefaultDevice, type Tensor, tensor } from "@gradus/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openGpu } from "./gpu.js";
import type { GpuBackend } from "./gpu-backend.js";
import { nodeGpu } from "./node-gpu.fixture.js";
import type { Tuner } from "./tuner.js";
import type { Choice } from "./work.js";

let single: GpuBackend;
let half: GpuBackend;
beforeAll(async () => {
  single = await openGpu({ gpu: nodeGpu() }, { asCard: true });
  half = await openGpu({ gpu: nodeGpu(), contractions: "f16" }, { asCard: true });
});
afterAll(async () => {
  await single.dispose();
  await half.dispose();
});

const waves = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 12.9898)),
    { shape },
  );

/** What `f`, one contraction, gives in each layout that the tuner of a device tries for it. */
async function inEachWay(device: GpuBackend, f: () => Tensor): Promise<Map<string, number[]>> {
  setDefaultDevice(device);
  const { tuner } = device as unknown as { readonly tuner: Tuner };
  const { see } = tuner;
  const seen: Choice[] = [];
  tuner.see = (trials) => seen.push(...trials.map(({ choice }) => choice));
  await f().read();
  tuner.see = see;
  const { key, ways } = seen[0] as Choice;
  const results = new Map<string, number[]>();
  for (const { name } of ways) {
    tuner.choose(key, name);
    results.set(name, [...(await f().read())]);
  }
  return results;
}

it.each([
  ["A B", () => waves(136, 132).matmul(waves(132, 144))],
  ["A Bt", () => waves(136, 132).matmul(waves(144, 132).transpose())],
  ["At B", () => waves(132, 136).transpose().matmul(waves(132, 144))],
  [
    "At Bt, of sizes that are multiples of nothing",
    () => waves(133, 137).transpose().matmul(waves(139, 133).transpose()),
  ],
  ["in chunks of k", () => waves(96, 1100).matmul(waves(1100, 80))],
  ["in batches", () => waves(3, 129, 65).matmul(waves(3, 65, 131))],
  ["a convolution", () => waves(4, 8, 16, 16).conv(waves(32, 8, 3, 3), { padding: 1 })],
])("all tiles and blocks agree to the last bit: %s", async (_, f) => {
  const results = await inEachWay(single, f);
  expect(results.size).toBeGreaterThan(3);
  const [first, ...others] = [...results.values()];
  for (const other of others) expect(other).toEqual(first);
});

it("they do in float16 too, whether blocks are kept in it or not", async () => {
  const results = await inEachWay(half, () => waves(136, 132).matmul(waves(132, 144)));
  expect([...results.keys()].some((name) => name.includes("in f16"))).toBe(half.caps.dtypes.includes("f16"));
  const [first, ...others] = [...results.values()];
  for (const other of others) expect(other).toEqual(first);
});
