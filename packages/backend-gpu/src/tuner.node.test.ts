import { isGradusError } from "@gradus/core";
import { compile, setDefaultDevice, type Tensor, tensor } from "@gradus/tensor";
import { expect, it } from "vitest";
import { countingGpu, difference, noCounts } from "./counting-gpu.fixture.js";
import { gpu } from "./gpu.js";
import { nodeGpu } from "./node-gpu.fixture.js";
import { Pipelines } from "./pipelines.js";
import { Tuner, type Tuning } from "./tuner.js";

const waves = (rows: number, columns: number): Tensor =>
  tensor(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 12.9898)),
    { shape: [rows, columns] },
  );

it("times a product that comes often, keeps what was fastest, and computes the same", async () => {
  const counts = noCounts();
  const device = await gpu({ gpu: countingGpu(counts) });
  setDefaultDevice(device);
  const [a, b] = [waves(160, 128), waves(128, 130)];
  const results: number[][] = [];
  const step = compile((x: Tensor, y: Tensor) => x.matmul(y).relu());
  for (let i = 0; i < 15; i++) results.push([...(await step(a, b).read())]);
  expect((await device.tuning()).choices).toEqual({});
  results.push([...(await step(a, b).read())]);
  const { adapter, choices } = await device.tuning();
  expect(adapter).toBe(device.adapter);
  expect(Object.keys(choices)).toHaveLength(1);
  expect(Object.keys(choices)[0]).toContain("160x130x128");
  const before = { ...counts };
  for (let i = 0; i < 4; i++) results.push([...(await step(a, b).read())]);
  expect(await device.tuning()).toEqual({ adapter, choices });
  // What is known is not timed again.
  expect(difference(before, counts)).toMatchObject({ dispatches: 4, submits: 4 });
  for (const result of results) expect(result).toEqual(results[0]);
  await device.dispose();

  // Each way gives the same, to the last bit.
  const key = Object.keys(choices)[0] as string;
  for (const name of ["registers 4x4", "registers 8x4", "registers 8x8", "no such way"]) {
    const again = await gpu({ gpu: nodeGpu(), tuning: { adapter, choices: { [key]: name } } });
    setDefaultDevice(again);
    const result = await waves(160, 128).matmul(waves(128, 130)).relu().read();
    expect([...result]).toEqual(results[0]);
    await again.dispose();
  }
});

it("finds the way that is faster, and keeps what was suggested where none is", async () => {
  const adapter = (await nodeGpu().requestAdapter()) as GPUAdapter;
  const requiredFeatures = (["timestamp-query"] as const).filter((name) => adapter.features.has(name));
  // By the device's clock, and by the host's.
  for (const device of [await adapter.requestDevice({ requiredFeatures }), undefined]) {
    const own = device ?? (await ((await nodeGpu().requestAdapter()) as GPUAdapter).requestDevice());
    const bindings = [{ kind: "buffer", index: 0, writes: true }] as const;
    const pipeline = new Pipelines(own, ({ message }) => expect.unreachable(message)).get(
      {
        code: `struct Arguments { words: array<vec4<u32>, 1> }
@group(0) @binding(0) var<uniform> args: Arguments;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var x = args.words[0].x;
  for (var i = 0u; i < 256u; i += 1u) { x = x * 1664525u + lane; }
  out[lane] = x;
}`,
        bindings,
        packed: [],
        words: 4,
      },
      "work",
    );
    let changes = 0;
    const tuner = new Tuner(own, "card", undefined, () => changes++);
    const way = (name: string, workgroups: number) => ({ name, make: () => ({ pipeline, workgroups }) });
    const seen = (key: string, ways: ReturnType<typeof way>[]): void => {
      const trial = { choice: { key, ways }, bindings, bytes: [256], words: new Uint32Array(4) };
      for (let i = 0; i < 16; i++) tuner.see([trial]);
    };
    seen("slow first", [way("much", 4096), way("little", 4), way("more", 2048)]);
    seen("fast first", [way("little", 4), way("much", 4096)]);
    expect((await tuner.tuning()).choices).toEqual({ "slow first": "little", "fast first": "little" });
    expect(changes).toBe(2);
    tuner.close();
    own.destroy();
  }
});

it("is left out where it is not wanted, and forgets what another card found", async () => {
  const elsewhere: Tuning = { adapter: "another card", choices: { "f32 1x2x3x4": "tile" } };
  const device = await gpu({ gpu: nodeGpu(), autotune: false, tuning: elsewhere });
  setDefaultDevice(device);
  const [a, b] = [waves(160, 128), waves(128, 130)];
  for (let i = 0; i < 20; i++) await a.matmul(b).read();
  expect(await device.tuning()).toEqual({ adapter: device.adapter, choices: {} });
  await device.dispose();
});

it.each([{}, { adapter: 1, choices: {} }, { adapter: "a", choices: { b: 1 } }, "text"])(
  "refuses %j as a tuning",
  async (tuning) => {
    const error = await gpu({ gpu: nodeGpu(), tuning: tuning as unknown as Tuning }).catch((e) => e);
    expect(isGradusError(error, "invalid-argument")).toBe(true);
  },
);

it("says what is known when the device goes while something is timed", async () => {
  const device = await gpu({ gpu: nodeGpu() });
  setDefaultDevice(device);
  const [a, b] = [waves(160, 128), waves(128, 130)];
  for (let i = 0; i < 16; i++) await a.matmul(b).read();
  await device.dispose();
  expect((await device.tuning()).choices).toBeTypeOf("object");
});
