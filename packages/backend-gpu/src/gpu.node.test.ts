import { valueAndGrad } from "@gradus/autograd";
import {
  axisIndex,
  axisSize,
  type Backend,
  type Buffer,
  type ContractKernel,
  calculus as c,
  cast,
  type DType,
  type Expr,
  interpreter,
  isGradusError,
  type Kernel,
  type LoopKernel,
  load,
  type NativeKernel,
  param,
  stage,
  type Tensor,
  type TypedArray,
  typedArray,
} from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { adam, applyUpdates } from "@gradus/optimizers";
import { compile, key, setDefaultDevice, tensor, zeros } from "@gradus/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compiled } from "./compiled.js";
import { countingGpu, noCounts } from "./counting-gpu.fixture.js";
import { gpu, openGpu } from "./gpu.js";
import type { GpuDevice } from "./gpu-backend.js";
import { nodeGpu } from "./node-gpu.fixture.js";

const counts = noCounts();
let device: GpuDevice;
beforeAll(async () => {
  device = await gpu({ gpu: countingGpu(counts) });
});
afterAll(async () => {
  await device.dispose();
});

function buffer(on: Backend, dtype: DType, values: ArrayLike<number>): Buffer {
  const data = typedArray(dtype, values);
  const made = on.alloc(data.byteLength);
  on.write(made, data);
  return made;
}

/** The outputs of one launch, on a device. */
async function outputs(
  on: Backend,
  kernel: Kernel,
  inputs: readonly ArrayLike<number>[],
  lengths: readonly number[],
  sizes: readonly number[],
  params: readonly number[] = [],
): Promise<number[][]> {
  const sources = inputs.map((values, k) => buffer(on, kernel.inputs[k] as DType, values));
  const results = lengths.map((length, k) => {
    const shared = kernel.aliases?.[k];
    return shared === undefined ? on.alloc(4 * length) : (sources[shared] as Buffer);
  });
  on.run([{ executable: on.compile(kernel), buffers: [...sources, ...results], sizes, params }]);
  const read = await Promise.all(
    results.map(async (one, k) => [...typedArray(kernel.outputs[k] as DType, await on.read(one))]),
  );
  for (const one of new Set([...sources, ...results])) on.free(one);
  return read;
}

async function expectAsInterpreter(
  device: Backend,
  kernel: Kernel,
  inputs: readonly ArrayLike<number>[],
  lengths: readonly number[],
  sizes: readonly number[],
): Promise<void> {
  const expected = await outputs(interpreter({ precision: "float32" }), kernel, inputs, lengths, sizes);
  expect(await outputs(device, kernel, inputs, lengths, sizes)).toEqual(expected);
}

const whole = (n: number, seed: number): number[] =>
  Array.from({ length: n }, (_, i) => ((i * 7919 + seed * 31) % 9) - 4);

it("says what to do where there is no WebGPU", async () => {
  await expect(gpu()).rejects.toThrow("In Node, install the package webgpu");
  await expect(gpu()).rejects.toSatisfy((error) => isGradusError(error, "unsupported"));
});

describe.each([
  ["in tiles, as on a card", true],
  ["in registers, as on software drivers", false],
])("products %s", (_, asCard) => {
  let device: GpuDevice;
  beforeAll(async () => {
    device = await openGpu({ gpu: nodeGpu() }, { asCard });
  });
  afterAll(() => device.dispose());

  const flat = (row: number, column: number): Expr =>
    c.add(c.mul(axisIndex(row), axisSize(column)), axisIndex(column));
  const product = (transposeA: boolean, transposeB: boolean, dtype: DType = "f32"): ContractKernel => ({
    kind: "contract",
    name: "product",
    inputs: [dtype, dtype, dtype],
    outputs: [dtype],
    params: [],
    groups: { batch: 0, m: 1, n: 1, k: 1 },
    a: load(0, dtype, transposeA ? flat(2, 0) : flat(0, 2)),
    b: load(1, dtype, transposeB ? flat(1, 2) : flat(2, 1)),
    accumulate: dtype,
    writes: [{ buffer: 0, index: flat(0, 1), value: c.add(stage(0, dtype), load(2, dtype, axisIndex(1))) }],
  });
  const check = async (kernel: ContractKernel, m: number, n: number, k: number): Promise<void> => {
    const inputs = [whole(m * k, 1), whole(k * n, 2), whole(n, 3)];
    await expectAsInterpreter(device, kernel, inputs, [m * n], [m, n, k]);
  };

  it("loads four elements at a time along either axis of either operand", async () => {
    for (const [a, b] of [
      [false, false],
      [true, true],
    ] as const) {
      await check(product(a, b), 132, 136, 140);
    }
  });

  it("takes sizes that are no multiples of anything", async () => {
    await check(product(false, true), 131, 129, 131);
    await check(product(true, false), 131, 129, 131);
  });

  it("splits k where tiles are few", async () => {
    await check(product(false, false), 40, 36, 2001);
  });

  it("multiplies whole numbers, which wrap", async () => {
    const kernel = product(false, false, "i32");
    const [m, n, k] = [128, 132, 128];
    const large = (count: number): number[] => Array.from({ length: count }, (_, i) => (i * 65537) | 0);
    await expectAsInterpreter(device, kernel, [large(m * k), large(k * n), whole(n, 1)], [m * n], [m, n, k]);
  });
});

it("plans again where strides change, and not where other whole numbers do, as those of random keys", () => {
  const flat = (row: number, stride: number): Expr =>
    c.add(c.mul(axisIndex(row), param(stride, "i32")), axisIndex(2));
  const noise = cast(c.imod(c.add(axisIndex(0), param(2, "i32")), 7), "f32");
  const kernel: ContractKernel = {
    kind: "contract",
    name: "product and noise",
    inputs: ["f32", "f32"],
    outputs: ["f32"],
    params: ["i32", "i32", "i32"],
    groups: { batch: 0, m: 1, n: 1, k: 1 },
    a: load(0, "f32", flat(0, 0)),
    b: load(1, "f32", flat(1, 1)),
    accumulate: "f32",
    writes: [
      {
        buffer: 0,
        index: c.add(c.mul(axisIndex(0), axisSize(1)), axisIndex(1)),
        value: c.add(stage(0, "f32"), noise),
      },
    ],
  };
  expect((device.compile(kernel) as Compiled).program.deciding).toEqual([0, 1]);
});

it("goes beyond 65,535 workgroups", async () => {
  const at = c.add(c.mul(axisIndex(0), axisSize(1)), axisIndex(1));
  const kernel: LoopKernel = {
    kind: "loop",
    name: "positions",
    inputs: [],
    outputs: ["i32"],
    params: [],
    axes: 2,
    grid: 2,
    stages: [],
    writes: [{ over: [], buffer: 0, index: at, value: c.add(c.mul(axisIndex(0), 3), axisIndex(1)) }],
  };
  const [rows, columns] = [4099, 1025];
  const [out] = await outputs(device, kernel, [], [rows * columns], [rows, columns]);
  const wrong = (out as number[]).findIndex(
    (value, i) => value !== Math.floor(i / columns) * 3 + (i % columns),
  );
  expect(wrong).toBe(-1);
});

it("hands commands over before it gives up memory that they use", async () => {
  setDefaultDevice(device);
  const x = zeros([2 ** 24]);
  // More than is kept, freed before anything was handed over.
  const many = Array.from({ length: 6 }, (_, i) => x.add(i));
  const last = many[5]?.slice([0, 1]).add(1) as Tensor;
  for (const one of many) one.dispose();
  expect([...(await last.read())]).toEqual([6]);
  for (const one of [x, last]) one.dispose();
});

it("binds more buffers than a shader may, some of them in place", async () => {
  const count = 24;
  const at = axisIndex(0);
  const x = Array.from({ length: count }, (_, k) => load(k, "f32", at));
  const sum = x.reduce<Expr>((total, one) => c.add(total, one), c.mul(x[0] as Expr, 0));
  const kernel: LoopKernel = {
    kind: "loop",
    name: "many",
    inputs: x.map(() => "f32" as const),
    outputs: x.map(() => "f32" as const),
    params: ["f32"],
    axes: 1,
    grid: 1,
    stages: [],
    writes: x.map((one, buffer) => ({
      over: [],
      buffer,
      index: at,
      value: c.add(c.mul(one, param(0, "f32")), sum),
    })),
    aliases: x.map((_, k) => (k % 2 === 0 ? k : undefined)),
  };
  expect(2 * count).toBeGreaterThan(device.caps.maxBuffers);
  const inputs = x.map((_, k) => whole(37, k));
  const results = await outputs(
    device,
    kernel,
    inputs,
    x.map(() => 37),
    [37],
    [10],
  );
  results.forEach((values, k) => {
    values.forEach((value, i) => {
      const total = inputs.reduce((s, one) => s + (one[i] as number), 0);
      expect(value).toBe(10 * (inputs[k]?.[i] as number) + total);
    });
  });
});

describe("a native that the host computes", () => {
  const twice: NativeKernel = {
    kind: "native",
    native: "host",
    name: "twice",
    inputs: ["f32"],
    outputs: ["f32"],
    params: [],
    attrs: {},
    host: ([x, y], [n]) => {
      for (let i = 0; i < (n as number); i++) (y as TypedArray)[i] = 2 * ((x as TypedArray)[i] as number);
      return (x as TypedArray)[0] === 13 ? "unlucky" : undefined;
    },
  };
  const plusOne: LoopKernel = {
    kind: "loop",
    name: "plus one",
    inputs: ["f32"],
    outputs: ["f32"],
    params: [],
    axes: 1,
    grid: 1,
    stages: [],
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value: c.add(load(0, "f32", axisIndex(0)), 1) }],
  };

  it("is in order with kernels, writes, reads and frees around it", async () => {
    const [host, add] = [device.compile(twice), device.compile(plusOne)];
    const [x, y, z] = [buffer(device, "f32", [1, 2]), device.alloc(8), device.alloc(8)];
    const launch = (executable: typeof host, ...buffers: Buffer[]) => ({
      executable,
      buffers,
      sizes: [2],
      params: [],
    });
    device.run([launch(add, x, y), launch(host, y, z), launch(add, z, x), launch(host, x, y)]);
    const before = device.read(y);
    device.write(x, new Float32Array([100, 200]));
    device.run([launch(host, x, z)]);
    const after = device.read(z);
    device.free(x);
    device.free(z);
    device.run([launch(add, y, buffer(device, "f32", [0, 0]))]);
    expect([...new Float32Array(await before)]).toEqual([10, 14]);
    expect([...new Float32Array(await after)]).toEqual([200, 400]);
    expect([...new Float32Array(await device.read(y))]).toEqual([10, 14]);
  });

  it("rejects the next read with what it says, and only that one", async () => {
    const [x, y] = [buffer(device, "f32", [13]), device.alloc(4)];
    device.run([{ executable: device.compile(twice), buffers: [x, y], sizes: [1], params: [] }]);
    await expect(device.read(x)).rejects.toThrow("unlucky");
    expect([...new Float32Array(await device.read(y))]).toEqual([26]);
  });
});

it("writes bytes anywhere", async () => {
  const x = buffer(device, "i32", [0x04030201, 0x08070605]);
  device.write(x, new Uint8Array([0xff, 0xee, 0xdd]), 3);
  device.write(x, new Uint8Array([0xaa]), 0);
  expect([...new Uint8Array(await device.read(x, 0, 7))]).toEqual([0xaa, 2, 3, 0xff, 0xee, 0xdd, 7]);
});

it("refuses what is beyond its memory, with a code", () => {
  try {
    device.alloc(device.caps.maxBufferBytes + 4);
    expect.unreachable();
  } catch (error) {
    expect(isGradusError(error, "out-of-memory")).toBe(true);
  }
});

it("keeps whole numbers of params whole", async () => {
  const kernel: LoopKernel = {
    kind: "loop",
    name: "params",
    inputs: [],
    outputs: ["i32", "f32", "bool"],
    params: ["i32", "f32", "bool"],
    axes: 1,
    grid: 1,
    stages: [],
    writes: [
      { over: [], buffer: 0, index: axisIndex(0), value: param(0, "i32") },
      { over: [], buffer: 1, index: axisIndex(0), value: param(1, "f32") },
      {
        over: [],
        buffer: 2,
        index: axisIndex(0),
        value: c.logicalAnd(param(2, "bool"), cast(axisIndex(0), "bool")),
      },
    ],
  };
  const results = await outputs(device, kernel, [], [2, 2, 2], [2], [-2147483648, -0.1, 1]);
  expect(results).toEqual([
    [-2147483648, -2147483648],
    [Math.fround(-0.1), Math.fround(-0.1)],
    [0, 1],
  ]);
});

it("profiles kernels by name", async () => {
  const kernel: LoopKernel = {
    kind: "loop",
    name: "squares",
    inputs: ["f32"],
    outputs: ["f32"],
    params: [],
    axes: 1,
    grid: 1,
    stages: [],
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value: c.square(load(0, "f32", axisIndex(0))) }],
  };
  const executable = device.compile(kernel);
  const [x, y] = [buffer(device, "f32", whole(1000, 1)), device.alloc(4000)];
  const { result, kernels } = await device.profile(async () => {
    for (let i = 0; i < 3; i++) device.run([{ executable, buffers: [x, y], sizes: [1000], params: [] }]);
    return new Float32Array(await device.read(y))[1];
  });
  expect(result).toBe((whole(1000, 1)[1] as number) ** 2);
  expect(kernels).toHaveLength(1);
  expect(kernels[0]).toMatchObject({ name: "squares", dispatches: 3, bytes: 3 * 8000, operations: 3000 });
  expect(kernels[0]?.milliseconds).toBeGreaterThan(0);
});

describe("training", () => {
  afterAll(() => setDefaultDevice(undefined));

  /** The losses of compiled steps of a small classifier, and what each step cost the device. */
  async function train(on: Backend, steps: number) {
    setDefaultDevice(on);
    const rule = adam({ lr: 0.02 });
    const x = tensor(
      Array.from({ length: 33 }, (_, i) => Array.from({ length: 6 }, (_, j) => Math.sin(i * (j + 1)))),
    );
    const y = tensor(
      Array.from({ length: 33 }, (_, i) => (i * 7) % 5),
      { dtype: "i32" },
    );
    const [first, second] = key(3).split(2) as [ReturnType<typeof key>, ReturnType<typeof key>];
    let params = {
      w1: first.normal([6, 17], { std: 0.4 }),
      b1: zeros([17]),
      w2: second.normal([17, 5], { std: 0.3 }),
      b2: zeros([5]),
    };
    const logits = (p: typeof params): Tensor => x.matmul(p.w1).add(p.b1).relu().matmul(p.w2).add(p.b2);
    let state = rule.init(params);
    const step = compile(
      (p: typeof params, s: typeof state) => {
        const [loss, grads] = valueAndGrad((q: typeof params) => crossEntropy(logits(q), y))(p);
        const { updates, state: next } = rule.update(grads, s, { params: p });
        return { p: applyUpdates(p, updates), s: next, loss };
      },
      { donate: [0, 1] },
    );
    const losses: number[] = [];
    const costs: { submits: number; buffers: number }[] = [];
    for (let i = 0; i < steps; i++) {
      const before = { ...counts };
      const { p, s, loss } = step(params, state);
      [params, state] = [p, s];
      losses.push((await loss.read())[0] as number);
      loss.dispose();
      costs.push({ submits: counts.submits - before.submits, buffers: counts.buffers - before.buffers });
    }
    return { losses, costs };
  }

  it("is as on the interpreter, within what f32 rounds; a step is one submission and makes no buffer", async () => {
    const reference = await train(interpreter(), 25);
    const own = await train(device, 25);
    expect(own.losses.at(-1)).toBeLessThan((own.losses[0] as number) / 1.5);
    own.losses.forEach((loss, i) => {
      expect(loss).toBeCloseTo(reference.losses[i] as number, 4);
    });
    for (const cost of own.costs.slice(2)) expect(cost).toEqual({ submits: 1, buffers: 0 });
  });
});
