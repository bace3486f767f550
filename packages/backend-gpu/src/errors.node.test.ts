import { axisIndex, type Buffer, calculus as c, isGradusError, type LoopKernel, load } from "@gradus/core";
import { cholesky, compile, type Tensor, tensor } from "@gradus/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countingGpu, noCounts } from "./counting-gpu.fixture.js";
import { gpu } from "./gpu.js";
import type { GpuDevice } from "./gpu-backend.js";

// What a card finds late. The first device that is made is `raw`; faults are made there, at the border to WebGPU.

let device: GpuDevice;
let raw: GPUDevice;
beforeEach(async () => {
  device = await gpu({
    gpu: countingGpu(noCounts(), (made) => {
      raw = made;
    }),
  });
});
afterEach(() => device.dispose());

function kernelOf(name: string, factor: number): LoopKernel {
  const value = c.mul(load(0, "f32", axisIndex(0)), factor);
  return {
    kind: "loop",
    name,
    inputs: ["f32"],
    outputs: ["f32"],
    params: [],
    axes: 1,
    grid: 1,
    stages: [],
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value }],
  };
}

/** Launches a kernel on three elements, and returns its output. */
function launch(name: string, factor: number): Buffer {
  const [x, y] = [device.alloc(12), device.alloc(12)];
  device.write(x, new Float32Array([1, 2, 3]));
  const executable = device.compile(kernelOf(name, factor));
  device.run([{ executable, buffers: [x, y], sizes: [3], params: [] }]);
  return y;
}

const values = async (buffer: Buffer): Promise<number[]> => [...new Float32Array(await device.read(buffer))];
const error = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason) => reason,
  );

describe("a lost device", () => {
  it("rejects reads that wait, later calls and later reads with device-lost, and says so by itself", async () => {
    expect(await values(launch("triple", 3))).toEqual([3, 6, 9]);
    const y = launch("triple", 3);
    const [read, lost] = [error(device.read(y)), device.lost as Promise<Error>];
    raw.destroy();
    expect(await lost).toSatisfy((e) => isGradusError(e, "device-lost"));
    expect((await lost).message).toContain('the latest kernel was "triple"');
    // What was on its way when it happened may have arrived.
    const first = await read;
    if (first !== undefined) expect(first).toSatisfy((e) => isGradusError(e, "device-lost"));
    expect(await error(device.read(y))).toSatisfy((e) => isGradusError(e, "device-lost"));
    for (const call of [() => device.alloc(4), () => launch("again", 2), () => device.free(y)]) {
      expect(call).toThrow(expect.objectContaining({ code: "device-lost" }));
    }
  });

  it("while shaders are being compiled, lets nobody wait forever", async () => {
    const y = launch("never seen before", 17);
    const read = error(device.read(y));
    raw.destroy();
    expect(await read).toSatisfy((e) => isGradusError(e, "device-lost"));
  });

  it("is replaced by another call of gpu()", async () => {
    raw.destroy();
    await device.lost;
    device = await gpu({ gpu: countingGpu(noCounts()) });
    expect(await values(launch("triple", 3))).toEqual([3, 6, 9]);
  });

  it("says disposed if it was given back", async () => {
    const y = launch("triple", 3);
    await device.dispose();
    expect(() => device.alloc(4)).toThrow(expect.objectContaining({ code: "disposed" }));
    expect(await error(device.read(y))).toSatisfy((e) => isGradusError(e, "disposed"));
  });
});

describe("memory that runs out late", () => {
  it("rejects the next read with out-of-memory, and only that one", async () => {
    const popErrorScope = raw.popErrorScope;
    raw.popErrorScope = async () => {
      raw.popErrorScope = popErrorScope;
      await popErrorScope.call(raw);
      return { message: "Out of memory" } as GPUError;
    };
    const large = device.alloc(1 << 20);
    const found = await error(device.read(large));
    expect(found).toSatisfy((e) => isGradusError(e, "out-of-memory"));
    expect((found as Error).message).toContain("a buffer of 1048576 bytes");
    expect(await values(launch("triple", 3))).toEqual([3, 6, 9]);
  });
});

describe("a shader that the card refuses", () => {
  it("rejects the next read with kernel-invalid and the kernel's name, and only that one", async () => {
    const { createShaderModule } = raw;
    raw.createShaderModule = (descriptor) => {
      const isBroken = descriptor.label === "broken";
      return createShaderModule.call(raw, isBroken ? { ...descriptor, code: "fn main( {" } : descriptor);
    };
    const good = launch("good", 2);
    const broken = launch("broken", 5);
    const found = await error(device.read(broken));
    expect(found).toSatisfy((e) => isGradusError(e, "kernel-invalid"));
    expect((found as Error).message).toContain('kernel "broken"');
    expect(await values(good)).toEqual([2, 4, 6]);
  });
});

it("a validation error that nobody else catches rejects the next read", async () => {
  const y = launch("triple", 3);
  // No usage at all is no valid buffer.
  raw.createBuffer({ size: 4, usage: 0 });
  await raw.queue.onSubmittedWorkDone();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await error(device.read(y))).toSatisfy((e) => isGradusError(e, "kernel-invalid"));
  expect(await values(y)).toEqual([3, 6, 9]);
});

it("prepares kernels ahead of use, with progress", async () => {
  const kernels = [2, 3, 4].map((factor) => ({
    kernel: kernelOf(`times ${factor}`, factor + 0.5),
    expected: [3],
  }));
  const seen: [number, number][] = [];
  let compiled = 0;
  const { createComputePipelineAsync } = raw;
  raw.createComputePipelineAsync = (descriptor) => {
    compiled++;
    return createComputePipelineAsync.call(raw, descriptor);
  };
  const executables = await device.prepare?.(kernels, (done, total) => seen.push([done, total]));
  expect(seen).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
  expect(executables?.map(({ kernel }) => kernel.name)).toEqual(["times 2", "times 3", "times 4"]);
  expect(compiled).toBe(3);
  // All is there: using them compiles nothing.
  expect(await values(launch("times 2", 2.5))).toEqual([2.5, 5, 7.5]);
  expect(compiled).toBe(3);
});

it("compiles a function's shaders ahead of its first call, and explains what leaves the card", async () => {
  let compiled = 0;
  const { createComputePipelineAsync } = raw;
  raw.createComputePipelineAsync = (descriptor) => {
    compiled++;
    return createComputePipelineAsync.call(raw, descriptor);
  };
  const f = compile((x: Tensor) =>
    cholesky(x.matmul(x.transpose(0, 1)).add(0.5))
      .mul(3)
      .sum(0),
  );
  const x = tensor(
    [
      [2, 0],
      [1, 2],
    ],
    { device },
  );
  const seen: number[] = [];
  await f.prepare([x], (done, total) => seen.push(done / total));
  expect(seen.at(-1)).toBe(1);
  const ahead = compiled;
  expect(ahead).toBeGreaterThan(0);
  const lines = f.explain().split("\n");
  expect(lines.filter((line) => line.endsWith("on the host"))).toHaveLength(1);
  expect(lines.find((line) => line.endsWith("on the host"))).toContain("cholesky");
  const y = f(x);
  // The matrix is [[4.5, 2.5], [2.5, 5.5]].
  const [a, b] = await y.read();
  expect(a).toBeCloseTo(3 * (Math.sqrt(4.5) + 2.5 / Math.sqrt(4.5)), 4);
  expect(b).toBeCloseTo(3 * Math.sqrt(5.5 - 2.5 ** 2 / 4.5), 4);
  expect(compiled).toBe(ahead);
  f.dispose();
});
