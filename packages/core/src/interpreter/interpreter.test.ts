import { describe, expect, it } from "vitest";
import type { Backend, Buffer, Launch } from "../backend.js";
import { type ErrorCode, isGradusError } from "../errors.js";
import * as c from "../ir/calculus.js";
import { axisIndex, constant, load } from "../ir/expr.js";
import type { Kernel } from "../ir/kernel.js";
import { interpreter } from "./interpreter.js";
import { download, loopKernel, upload } from "./run-kernel.fixture.js";

function codeOf(f: () => unknown): ErrorCode | undefined {
  try {
    f();
  } catch (error) {
    if (isGradusError(error)) return error.code;
    throw error;
  }
  return undefined;
}

const x = load(0, "f32", axisIndex(0));
const double: Kernel = loopKernel({
  name: "double",
  inputs: ["f32"],
  outputs: ["f32"],
  axes: 1,
  grid: 1,
  writes: [{ over: [], buffer: 0, index: axisIndex(0), value: c.mul(x, 2) }],
});

function launchOf(device: Backend, buffers: Buffer[], sizes = [3]): Launch {
  return { executable: device.compile(double), buffers, sizes, params: [] };
}

describe("memory", () => {
  it("keeps what is written, at any place", async () => {
    const device = interpreter();
    const buffer = device.alloc(16);
    device.write(buffer, new Float32Array([1, 2, 3, 4]));
    device.write(buffer, new Float32Array([0, 5, 6, 0]).subarray(1, 3), 8);
    expect(download(device, "f32", buffer)).toEqual([1, 2, 5, 6]);
    expect([...new Float32Array(await device.read(buffer, 4, 8))]).toEqual([2, 5]);
    device.write(buffer, new Uint8Array([7]), 3);
    expect(new Uint8Array(device.readSync?.(buffer, 3, 1) as ArrayBuffer)[0]).toBe(7);
  });

  it("copies: neither the caller's data nor what was read is the buffer", () => {
    const device = interpreter();
    const data = new Float32Array([1]);
    const buffer = device.alloc(4);
    device.write(buffer, data);
    data[0] = 2;
    new Float32Array(device.readSync?.(buffer) as ArrayBuffer)[0] = 3;
    expect(download(device, "f32", buffer)).toEqual([1]);
  });

  it("keeps the bits of integers and NaNs", () => {
    const device = interpreter();
    const words = [0x7fa00001, -1, 0x7f800001, 5];
    const buffer = upload(device, "i32", words);
    expect(download(device, "i32", buffer)).toEqual(words);
  });

  it("sees one buffer as several dtypes", () => {
    const device = interpreter();
    const buffer = upload(device, "f64", [1.5, -2]);
    expect(buffer.bytes).toBe(16);
    expect(download(device, "i32", buffer)).toEqual([...new Int32Array(new Float64Array([1.5, -2]).buffer)]);
  });

  it("takes a buffer of no bytes", () => {
    const device = interpreter();
    expect(download(device, "f32", device.alloc(0))).toEqual([]);
  });

  it.each([true, false])("counts what is allocated and not freed (collected: %s)", (collected) => {
    const device = interpreter({ collected });
    expect(device.caps.collected).toBe(collected);
    expect(device.memory()).toEqual({ buffers: 0, bytes: 0 });
    const [a, b] = [device.alloc(12), device.alloc(100)];
    expect(device.memory()).toEqual({ buffers: 2, bytes: 112 });
    device.free(a);
    expect(device.memory()).toEqual({ buffers: 1, bytes: 100 });
    device.free(b);
    expect(device.memory()).toEqual({ buffers: 0, bytes: 0 });
  });

  it("refuses a buffer that was freed", () => {
    const device = interpreter({ collected: false });
    const [a, b] = [device.alloc(12), device.alloc(12)];
    device.free(a);
    expect(codeOf(() => device.free(a))).toBe("disposed");
    expect(codeOf(() => device.write(a, new Float32Array(1)))).toBe("disposed");
    expect(codeOf(() => device.readSync?.(a))).toBe("disposed");
    expect(codeOf(() => device.run([launchOf(device, [b, a])]))).toBe("disposed");
    expect(device.memory().buffers).toBe(1);
  });

  it("refuses writes and reads beyond the end", () => {
    const device = interpreter();
    const buffer = device.alloc(4);
    expect(codeOf(() => device.write(buffer, new Float32Array(2)))).toBe("invalid-argument");
    expect(codeOf(() => device.readSync?.(buffer, 2, 4))).toBe("invalid-argument");
    expect(codeOf(() => device.readSync?.(buffer, -4, 4))).toBe("invalid-argument");
  });

  it("says how much does not fit", () => {
    const device = interpreter();
    device.alloc(2 ** 20);
    expect(() => device.alloc(2 ** 40)).toThrow(
      /^alloc: 1048576\.0 MiB do not fit: .*1 buffers with 1\.0 MiB were allocated and not freed/,
    );
    expect(codeOf(() => device.alloc(2 ** 40))).toBe("out-of-memory");
    expect(codeOf(() => device.alloc(1.5))).toBe("invalid-argument");
  });

  it("refuses the buffers and kernels of another device", () => {
    const [device, other] = [interpreter(), interpreter()];
    const buffers = [device.alloc(12), device.alloc(12)];
    expect(codeOf(() => device.write(other.alloc(4), new Float32Array(1)))).toBe("device-mismatch");
    expect(codeOf(() => device.run([launchOf(device, [other.alloc(12), buffers[1] as Buffer])]))).toBe(
      "device-mismatch",
    );
    expect(codeOf(() => device.run([launchOf(other, buffers)]))).toBe("device-mismatch");
  });

  it("refuses all work after dispose", async () => {
    const device = interpreter();
    const buffer = device.alloc(4);
    await device.dispose();
    expect(codeOf(() => device.alloc(4))).toBe("disposed");
    expect(codeOf(() => device.readSync?.(buffer))).toBe("disposed");
    await expect(device.read(buffer)).rejects.toThrow("this device was disposed");
  });
});

describe("launches", () => {
  it("run in order", () => {
    const device = interpreter();
    const [a, b] = [upload(device, "f32", [1, 2, 3]), device.alloc(12)];
    device.run([launchOf(device, [a, b]), launchOf(device, [b, a])]);
    expect(download(device, "f32", a)).toEqual([4, 8, 12]);
  });

  it("are checked against the kernel", () => {
    const device = interpreter();
    const [a, b] = [device.alloc(12), device.alloc(12)];
    const launch = launchOf(device, [a, b]);
    expect(() => device.run([{ ...launch, buffers: [a] }])).toThrow(
      'kernel "double" takes 1 inputs and 1 outputs, but the launch has 1 buffers',
    );
    expect(() => device.run([{ ...launch, sizes: [3, 1] }])).toThrow(
      'kernel "double" has 1 axes, but the launch has 2 sizes',
    );
    expect(() => device.run([{ ...launch, sizes: [1.5] }])).toThrow(
      "sizes must be whole numbers of at least 0, got [1.5]",
    );
    expect(() => device.run([{ ...launch, params: [1] }])).toThrow(
      'kernel "double" takes 0 params, but the launch has 1',
    );
  });

  it("that read or write beyond a buffer are mistakes, named at once", () => {
    const device = interpreter();
    const [small, large] = [device.alloc(12), device.alloc(400)];
    expect(() => device.run([launchOf(device, [small, large], [4])])).toThrow(
      'kernel "double" reads element 3 of input 0, which has 3 elements',
    );
    expect(() => device.run([launchOf(device, [large, small], [4])])).toThrow(
      'kernel "double" writes element 3 of output 0, which has 3 elements',
    );
    expect(codeOf(() => device.run([launchOf(device, [small, large], [4])]))).toBe("kernel-invalid");
  });

  it.each([
    ["a negative index", c.sub(axisIndex(0), 1), -1],
    ["a computed index", c.imod(c.mul(axisIndex(0), 5), 7), 5],
  ])("are checked at %s too", (_, index, element) => {
    const device = interpreter();
    const executable = device.compile(
      loopKernel({
        name: "gather",
        inputs: ["f32"],
        outputs: ["f32"],
        axes: 1,
        grid: 1,
        writes: [{ over: [], buffer: 0, index: axisIndex(0), value: load(0, "f32", index) }],
      }),
    );
    const buffers = [device.alloc(12), device.alloc(12)];
    expect(() => device.run([{ executable, buffers, sizes: [3], params: [] }])).toThrow(
      `kernel "gather" reads element ${element} of input 0, which has 3 elements`,
    );
  });

  it("are refused if the kernel is malformed", () => {
    expect(codeOf(() => interpreter().compile({ ...double, inputs: [] } as Kernel))).toBe("kernel-invalid");
  });
});

describe("a check that does not hold", () => {
  // An embedding lookup: table [4, 2], indices.
  const index = load(1, "i32", axisIndex(0));
  const valid = c.logicalAnd(c.greaterEqual(index, 0), c.less(index, 4));
  const lookup: Kernel = loopKernel({
    name: "embedding",
    inputs: ["f32", "i32"],
    outputs: ["f32"],
    axes: 2,
    grid: 2,
    writes: [
      {
        over: [],
        buffer: 0,
        index: c.add(c.mul(axisIndex(0), 2), axisIndex(1)),
        value: load(0, "f32", c.add(c.mul(index, 2), axisIndex(1)), valid, 0),
      },
    ],
    checks: [{ over: [], holds: valid, message: "an index is not in 0..3" }],
  });
  const table = [0, 1, 10, 11, 20, 21, 30, 31];

  function run(device: Backend, indices: readonly number[]): Buffer {
    const out = device.alloc(indices.length * 8);
    const buffers = [upload(device, "f32", table), upload(device, "i32", indices), out];
    device.run([{ executable: device.compile(lookup), buffers, sizes: [indices.length, 2], params: [] }]);
    return out;
  }

  it("is silent while all hold", () => {
    const device = interpreter();
    expect(download(device, "f32", run(device, [3, 0]))).toEqual([30, 31, 0, 1]);
  });

  it("fails the next read, with the kernel's name, and only that", async () => {
    const device = interpreter();
    const out = run(device, [3, 4]);
    run(device, [-1]);
    expect(() => device.readSync?.(out)).toThrow('kernel "embedding": an index is not in 0..3');
    expect(download(device, "f32", out)).toEqual([30, 31, 0, 0]);
    run(device, [-1]);
    await expect(device.read(out)).rejects.toMatchObject({ code: "index-out-of-range" });
    expect(await device.read(out)).toBeInstanceOf(ArrayBuffer);
  });

  it("is found on any device-like run: inner axes and single numbers", () => {
    const device = interpreter();
    const executable = device.compile(
      loopKernel({
        name: "positive",
        inputs: ["f32"],
        outputs: ["f32"],
        axes: 1,
        grid: 0,
        writes: [{ over: [], buffer: 0, index: constant(0, "i32"), value: constant(1, "f32") }],
        checks: [{ over: [0], holds: c.greater(x, 0), message: "not positive" }],
      }),
    );
    const out = device.alloc(4);
    const launch = (values: number[]): Launch => {
      return {
        executable,
        buffers: [upload(device, "f32", values), out],
        sizes: [values.length],
        params: [],
      };
    };
    device.run([launch(new Array<number>(600).fill(1))]);
    expect(download(device, "f32", out)).toEqual([1]);
    device.run([launch([...new Array<number>(600).fill(1), 0])]);
    expect(() => device.readSync?.(out)).toThrow('kernel "positive": not positive');
  });
});
