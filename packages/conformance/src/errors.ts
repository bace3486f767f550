import {
  axisIndex,
  axisSize,
  type Buffer,
  calculus as c,
  cast,
  constant,
  type DType,
  type Expr,
  input,
  type Kernel,
  load,
  type NativeKernel,
  type Output,
  param,
  type Stage,
  stage,
} from "@gradus/core";
import { describe, expect, it } from "vitest";
import { expectCode, expectRejection } from "./expect-code.js";
import { checkedGather, elementwise, flat, loops, matmul, reduction } from "./kernels.js";
import type { Subject } from "./subject.js";

/** What must be refused, and what a device reports later. */
export function errors(subject: Subject): void {
  describe("malformed kernels", () => malformedKernels(subject));
  describe("launches", () => launches(subject));
  describe("checks", () => checks(subject));

  it("refuses everything once it is disposed", async () => {
    const device = await subject.another();
    const buffer = device.alloc(4);
    const kernel = elementwise(["f32"], (x) => c.neg(x));
    const executable = device.compile(kernel);
    await device.dispose();
    expectCode(() => device.alloc(4), "disposed");
    expectCode(() => device.write(buffer, new Float32Array(1)), "disposed");
    expectCode(() => device.compile(kernel), "disposed");
    expectCode(
      () => device.run([{ executable, buffers: [buffer, buffer], sizes: [1], params: [] }]),
      "disposed",
    );
    await expectRejection(async () => device.read(buffer), "disposed");
  });
}

function malformedKernels(subject: Subject): void {
  const at = axisIndex(0);
  const x = load(0, "f32", at);
  const write = (parts: Partial<Output>): Output => ({ over: [], buffer: 0, index: at, value: x, ...parts });
  const copy = loops({ inputs: ["f32"], outputs: ["f32"], axes: 1, writes: [write({})] });
  const writing = (value: Expr): Kernel => ({ ...copy, writes: [write({ value })] });
  const staged = (parts: Partial<Stage>): Kernel => ({
    ...copy,
    axes: 2,
    stages: [{ over: [1], op: "sum", value: load(0, "f32", flat(0, 1)), dtype: "f32", ...parts }],
    writes: [write({ value: stage(0, "f32") })],
  });
  const product = matmul();

  const kernels: Record<string, Kernel> = {
    "a load from an input that is not there": writing(load(1, "f32", at)),
    "a load as another dtype": writing(cast(load(0, "i32", at), "f32")),
    "an index that is no integer": writing(load(0, "f32", cast(at, "f32"))),
    "a guard that is no bool": writing(load(0, "f32", at, at, 0)),
    "an axis that is not there": writing(cast(axisIndex(1), "f32")),
    "a size that is not there": writing(cast(axisSize(3), "f32")),
    "a param that is not there": writing(param(0, "f32")),
    "a stage that is not there": writing(stage(0, "f32")),
    "a value of another dtype than its output": writing(at),
    "an op that is not in the table": writing({ kind: "op", op: "frobnicate", args: [x], dtype: "f32" }),
    "too few operands": writing({ kind: "op", op: "add", args: [x], dtype: "f32" }),
    "operands of two dtypes": writing({ kind: "op", op: "add", args: [x, at], dtype: "f32" }),
    "a dtype that the op does not take": writing({ kind: "op", op: "bitAnd", args: [x, x], dtype: "f32" }),
    "a result of another dtype than the op's": writing({ kind: "op", op: "lt", args: [x, x], dtype: "f32" }),
    "an operand that was not lowered": writing(input(0, "f32")),
    "an unknown expression": writing({ kind: "wish", dtype: "f32" } as unknown as Expr),
    "a write to an output that is not there": { ...copy, writes: [write({}), write({ buffer: 1 })] },
    "an output that nothing is written to": { ...copy, outputs: ["f32", "f32"] },
    "a write over a grid axis": { ...copy, writes: [write({ over: [0] })] },
    "an inner axis outside of its loop": {
      ...copy,
      axes: 2,
      grid: 1,
      writes: [write({ value: cast(axisIndex(1), "f32") })],
    },
    "more grid axes than axes": { ...copy, grid: 2 },
    "a negative number of axes": { ...copy, axes: -1, grid: 0 },
    "a stage over a grid axis": staged({ over: [0] }),
    "a stage over an axis twice": staged({ over: [1, 1] }),
    "a stage that reads itself": staged({ value: stage(0, "f32") }),
    "an unknown reduction": staged({ op: "median" as "sum" }),
    "a sum of bools": staged({ value: c.less(load(0, "f32", flat(0, 1)), 0), dtype: "bool" }),
    "positions as floats": staged({ op: "argmax" }),
    "a check that is no bool": { ...copy, checks: [{ over: [], holds: at, message: "" }] },
    "an unknown dtype": { ...copy, inputs: ["f16" as DType] },
    "an unknown kind": { ...copy, kind: "poem" } as unknown as Kernel,
    "operands of a product of two dtypes": {
      ...product,
      inputs: ["f32", "i32"],
      b: { ...product.b, dtype: "i32" } as Expr,
    },
    "a product whose a reads an n axis": { ...product, a: load(0, "f32", flat(0, 1, 2)) },
    "a product whose b reads an m axis": { ...product, b: load(1, "f32", flat(0, 1, 3)) },
    "a product whose output depends on k": {
      ...product,
      writes: [{ buffer: 0, index: flat(0, 1, 2, 3), value: stage(0, "f32") }],
    },
    "a product whose operand reads the sum": { ...product, a: c.mul(product.a, stage(0, "f32")) },
    "an unknown native": { ...argsort(), native: "shuffle" as "argsort" },
    "a native with params": { ...argsort(), params: ["f32"] },
    "a native without its attribute": { ...argsort(), attrs: {} },
    "a native with too many inputs": { ...argsort(), inputs: ["f32", "f32"] },
    "an overwritten input of another dtype": {
      ...elementwise(["i32"], (i) => cast(i, "f32")),
      aliases: [0],
    },
    "an overwritten input that is read elsewhere": { ...reversed(), aliases: [0] },
    "an overwritten input that is not there": { ...copy, aliases: [1] },
  };

  it("accepts the kernels that the malformed ones are made of", () => {
    for (const kernel of [copy, staged({}), product, argsort(), reversed()]) subject.device.compile(kernel);
  });

  it.each(Object.entries(kernels))("rejects %s", (_, kernel) => {
    const { message } = expectCode(() => subject.device.compile(kernel), "kernel-invalid");
    expect(message).toContain(kernel.name);
  });
}

function argsort(): NativeKernel {
  return {
    kind: "native",
    native: "argsort",
    name: "argsort",
    inputs: ["f32"],
    outputs: ["i32"],
    params: [],
    attrs: { descending: false },
  };
}

function reversed(): Kernel {
  const index = c.sub(c.sub(axisSize(0), 1), axisIndex(0));
  return elementwise(["f32"], () => load(0, "f32", index));
}

function launches(subject: Subject): void {
  const kernel = { ...elementwise(["f32"], (x) => c.mul(x, param(0, "f32"))), params: ["f32"] } as Kernel;
  const parts = () => ({
    executable: subject.device.compile(kernel),
    buffers: [subject.buffer("f32", [1, 2]), subject.buffer("f32", [0, 0])],
    sizes: [2],
    params: [3],
  });

  it("refuses the wrong number of buffers, sizes or params", () => {
    const { device } = subject;
    const launch = parts();
    const wrong = [
      { ...launch, buffers: launch.buffers.slice(1) },
      { ...launch, buffers: [...launch.buffers, launch.buffers[0] as Buffer] },
      { ...launch, sizes: [] },
      { ...launch, sizes: [2, 1] },
      { ...launch, params: [] },
      { ...launch, params: [3, 4] },
    ];
    for (const one of wrong) expectCode(() => device.run([one]), "kernel-invalid");
  });

  it("refuses sizes that are none", () => {
    const launch = parts();
    for (const size of [-1, 0.5, Number.NaN]) {
      expectCode(() => subject.device.run([{ ...launch, sizes: [size] }]), "kernel-invalid");
    }
  });

  it("refuses a freed buffer", () => {
    const launch = parts();
    subject.free(launch.buffers[0] as Buffer);
    expectCode(() => subject.device.run([launch]), "disposed");
  });

  it("refuses buffers and executables of another device", async () => {
    const launch = parts();
    const other = await subject.another();
    const foreign = other.alloc(8);
    const wrongBuffer = { ...launch, buffers: [foreign, launch.buffers[1] as Buffer] };
    expectCode(() => subject.device.run([wrongBuffer]), "device-mismatch");
    expectCode(
      () => subject.device.run([{ ...launch, executable: other.compile(kernel) }]),
      "device-mismatch",
    );
    await other.dispose();
  });

  it("refuses buffers that are too small for a native", () => {
    const { device } = subject;
    const executable = device.compile(argsort());
    const buffers = [subject.buffer("f32", [1, 2, 3]), subject.room("i32", 3)];
    expectCode(() => device.run([{ executable, buffers, sizes: [1, 4], params: [] }]), "kernel-invalid");
  });

  it("refuses an output in an input's buffer that the kernel does not name", () => {
    const launch = parts();
    const x = launch.buffers[0] as Buffer;
    expectCode(() => subject.device.run([{ ...launch, buffers: [x, x] }]), "kernel-invalid");
    const inPlace = subject.device.compile({ ...kernel, aliases: [0] });
    expectCode(() => subject.device.run([{ ...launch, executable: inPlace }]), "kernel-invalid");
  });

  it("still works after what it refused", async () => {
    const launch = parts();
    expectCode(() => subject.device.run([{ ...launch, sizes: [] }]), "kernel-invalid");
    subject.device.run([launch]);
    expect(await subject.values("f32", launch.buffers[1] as Buffer)).toEqual([3, 6]);
  });
}

function checks(subject: Subject): void {
  const gather = (index: readonly number[], message = "no such row"): Buffer => {
    const { device } = subject;
    const out = subject.room("f32", index.length);
    const buffers = [subject.buffer("f32", [10, 20, 30]), subject.buffer("i32", index), out];
    const executable = device.compile(checkedGather("f32", message));
    device.run([{ executable, buffers, sizes: [index.length], params: [3] }]);
    return out;
  };

  it("that hold change nothing", async () => {
    expect(await subject.values("f32", gather([2, 0, 1, 2]))).toEqual([30, 10, 20, 30]);
  });

  it("that fail reject the next read, with the kernel's message", async () => {
    const out = gather([0, 3], "row 3 is not there");
    const { message } = await expectRejection(() => subject.device.read(out), "index-out-of-range");
    expect(message).toContain("row 3 is not there");
    expect(message).toContain("gather");
  });

  it("that fail reject the next read of any buffer, and only that one", async () => {
    const other = subject.buffer("f32", [5]);
    const out = gather([-1, 1, 9]);
    await expectRejection(() => subject.device.read(other), "index-out-of-range");
    expect(await subject.values("f32", other)).toEqual([5]);
    // What the kernel computed besides is there.
    expect(await subject.values("f32", out)).toEqual([10, 20, 30]);
  });

  it("that fail let later launches run", async () => {
    const bad = gather([7]);
    const good = gather([1]);
    await expectRejection(() => subject.device.read(bad), "index-out-of-range");
    expect(await subject.values("f32", good)).toEqual([20]);
  });

  it("report the first failure", async () => {
    gather([3], "the first one");
    const out = gather([3], "the second one");
    const { message } = await expectRejection(() => subject.device.read(out), "index-out-of-range");
    expect(message).toContain("the first one");
    expect(await subject.values("f32", out)).toEqual([30]);
  });

  it("do not reject a read that came before", async () => {
    const { device } = subject;
    const buffer = subject.buffer("f32", [4]);
    const reading = device.read(buffer);
    gather([3]);
    expect([...new Float32Array(await reading)]).toEqual([4]);
    await expectRejection(() => device.read(buffer), "index-out-of-range");
  });

  it("see a single failure among many", async () => {
    const index = new Array<number>(65537).fill(1);
    index[65536] = -5;
    const out = gather(index);
    await expectRejection(() => subject.device.read(out), "index-out-of-range");
  });

  it("may look at the results of stages, and go over inner axes", async () => {
    const x = load(0, "f32", flat(0, 1));
    const kernel = loops({
      ...reduction("sum", "f32", "rows"),
      checks: [
        { over: [1], holds: c.greaterEqual(x, 0), message: "an element is negative" },
        { over: [], holds: c.less(stage(0, "f32"), constant(100, "f32")), message: "a row is too large" },
      ],
    });
    const { device } = subject;
    const run = (values: readonly number[]): Buffer => {
      const out = subject.room("f32", 2);
      const buffers = [subject.buffer("f32", values), out];
      device.run([{ executable: device.compile(kernel), buffers, sizes: [2, 2], params: [] }]);
      return out;
    };
    expect(await subject.values("f32", run([1, 2, 3, 4]))).toEqual([3, 7]);
    const negative = run([1, 2, 3, -4]);
    expect((await expectRejection(() => device.read(negative), "index-out-of-range")).message).toContain(
      "negative",
    );
    const large = run([60, 60, 3, 4]);
    expect((await expectRejection(() => device.read(large), "index-out-of-range")).message).toContain(
      "too large",
    );
  });

  it("reject a read without waiting as well", () => {
    const { device } = subject;
    if (device.readSync === undefined) return;
    const out = gather([3]);
    expectCode(() => device.readSync?.(out), "index-out-of-range");
    expect([...new Float32Array(device.readSync(out))]).toEqual([30]);
  });
}
