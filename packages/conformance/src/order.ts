import { axisIndex, type Buffer, calculus as c, cast, type LoopKernel, load, param } from "@gradus/core";
import { expect, it } from "vitest";
import { adam, elementwise, flat, loops, matmul, reduction } from "./kernels.js";
import type { Subject } from "./subject.js";
import { count, wholeNumbers } from "./values.js";

/** `x * a + b`, with a and b as params. */
const scaled = (name: string, aliases?: LoopKernel["aliases"]): LoopKernel => ({
  ...elementwise(["f32"], (x) => c.add(c.mul(x, param(0, "f32")), param(1, "f32"))),
  name,
  params: ["f32", "f32"],
  ...(aliases && { aliases }),
});

/** Writes, launches, reads and frees take effect in the order of the calls. */
export function ordering(subject: Subject): void {
  const launch = (
    kernel: LoopKernel,
    buffers: readonly Buffer[],
    n: number,
    params: readonly number[] = [],
  ) => ({
    executable: subject.device.compile(kernel),
    buffers,
    sizes: [n],
    params,
  });

  it("a launch sees what was written before it, not what is written after it", async () => {
    const { device } = subject;
    const [x, y, z] = [subject.buffer("f32", [1, 2, 3]), subject.room("f32", 3), subject.room("f32", 3)];
    const { executable } = launch(scaled("scaled"), [x, y], 3);
    device.run([{ executable, buffers: [x, y], sizes: [3], params: [2, 0] }]);
    device.write(x, new Float32Array([10, 20, 30]));
    device.run([{ executable, buffers: [x, z], sizes: [3], params: [2, 0] }]);
    device.write(x, new Float32Array([0, 0, 0]));
    expect(await subject.values("f32", y)).toEqual([2, 4, 6]);
    expect(await subject.values("f32", z)).toEqual([20, 40, 60]);
  });

  it("a read sees what was there when it was called", async () => {
    const { device } = subject;
    const [x, y] = [subject.buffer("f32", [1, 2]), subject.room("f32", 2)];
    const before = device.read(x);
    device.write(x, new Float32Array([3, 4]));
    const between = device.read(x);
    device.run([launch(scaled("scaled", [0]), [x, x], 2, [10, 0])]);
    const after = device.read(x);
    device.run([launch(scaled("scaled"), [x, y], 2, [1, 1])]);
    const results = await Promise.all([before, between, after, device.read(y)]);
    expect(results.map((bytes) => [...new Float32Array(bytes)])).toEqual([
      [1, 2],
      [3, 4],
      [30, 40],
      [31, 41],
    ]);
  });

  it("a buffer may be freed right after the launch or the read that needs it", async () => {
    const { device } = subject;
    const [x, y] = [subject.buffer("f32", [1, 2]), subject.room("f32", 2)];
    device.run([launch(scaled("scaled"), [x, y], 2, [5, 0])]);
    subject.free(x);
    // Memory that takes the place of the freed buffer must not reach the launch.
    const other = subject.buffer("f32", [99, 99]);
    const reading = device.read(y);
    subject.free(y);
    subject.buffer("f32", [77, 77]);
    expect([...new Float32Array(await reading)]).toEqual([5, 10]);
    expect(await subject.values("f32", other)).toEqual([99, 99]);
  });

  it("the launches of one run depend on each other", async () => {
    const { device } = subject;
    const [a, b, d] = [
      subject.buffer("f32", wholeNumbers(65)),
      subject.room("f32", 65),
      subject.room("f32", 65),
    ];
    const total = subject.room("f32", 1);
    device.run([
      launch(scaled("first"), [a, b], 65, [2, 1]),
      launch(scaled("second"), [b, d], 65, [3, 0]),
      launch(reduction("sum", "f32", "all"), [d, total], 65),
      // The first buffer is overwritten when all is read.
      launch(scaled("third"), [d, a], 65, [0, 7]),
    ]);
    const expected = wholeNumbers(65).reduce((sum, x) => sum + 3 * (2 * x + 1), 0);
    expect(await subject.values("f32", total)).toEqual([expected]);
    expect(await subject.values("f32", a)).toEqual(new Array(65).fill(7));
  });

  it("a long program runs in order", async () => {
    const { device } = subject;
    const [a, b] = [subject.buffer("f32", [1, 0, -1]), subject.room("f32", 3)];
    const { executable } = launch(scaled("step"), [a, b], 3);
    const steps = count(300).map((k) => ({
      executable,
      buffers: k % 2 === 0 ? [a, b] : [b, a],
      sizes: [3],
      params: [k % 3 === 0 ? 2 : k % 3 === 1 ? 0.5 : 1, k % 5],
    }));
    device.run(steps);
    const expected = steps.reduce(
      (x, { params: [m, p] }) => x.map((v) => v * (m as number) + (p as number)),
      [1, 0, -1],
    );
    expect(await subject.values("f32", a)).toEqual(expected);
  });

  it("many runs one after another are like one", async () => {
    const { device } = subject;
    const [a, b] = [subject.buffer("f32", [0]), subject.room("f32", 1)];
    const { executable } = launch(scaled("count"), [a, b], 1);
    for (let k = 0; k < 200; k++) {
      device.run([{ executable, buffers: k % 2 === 0 ? [a, b] : [b, a], sizes: [1], params: [1, 1] }]);
    }
    expect(await subject.values("f32", a)).toEqual([200]);
  });

  it("kernels of different kinds follow each other", async () => {
    const { device } = subject;
    const [x, w] = [subject.buffer("f32", [1, 2, 3, 4]), subject.buffer("f32", [0, 1, 1, 0])];
    const [product, order, picked] = [subject.room("f32", 4), subject.room("i32", 4), subject.room("f32", 4)];
    device.run([
      {
        executable: device.compile(matmul()),
        buffers: [x, w, product],
        sizes: [1, 2, 2, 2],
        params: [0, 0, 2, 1, 0, 0, 2, 1],
      },
      {
        executable: device.compile({
          kind: "native",
          native: "argsort",
          name: "argsort",
          inputs: ["f32"],
          outputs: ["i32"],
          params: [],
          attrs: { descending: true },
        }),
        buffers: [product, order],
        sizes: [1, 4],
        params: [],
      },
      launch(
        elementwise(["i32", "f32"], (i) => load(1, "f32", i)),
        [order, product, picked],
        4,
      ),
    ]);
    expect(await subject.values("f32", product)).toEqual([2, 1, 4, 3]);
    expect(await subject.values("i32", order)).toEqual([2, 3, 0, 1]);
    expect(await subject.values("f32", picked)).toEqual([4, 3, 2, 1]);
  });

  it("an empty program and empty launches do nothing", async () => {
    const { device } = subject;
    const y = subject.buffer("f32", [5]);
    const empty = subject.room("f32", 0);
    device.run([]);
    device.run([launch(scaled("scaled"), [empty, y], 0, [1, 1])]);
    expect(await subject.values("f32", y)).toEqual([5]);
  });

  it("nothing of a program is kept", async () => {
    const { device } = subject;
    const [x, y, z] = [subject.buffer("f32", [1]), subject.room("f32", 1), subject.buffer("f32", [0])];
    const [buffers, sizes, params] = [[x, y], [1], [2, 3]];
    const program = [{ executable: device.compile(scaled("scaled")), buffers, sizes, params }];
    device.run(program);
    buffers[1] = z;
    sizes[0] = 0;
    params.fill(100);
    program.length = 0;
    expect(await subject.values("f32", y)).toEqual([5]);
    expect(await subject.values("f32", z)).toEqual([0]);
  });

  it("one buffer may be several inputs", async () => {
    const [x, y] = [subject.buffer("f32", [1, 2, 3]), subject.room("f32", 3)];
    subject.device.run([launch(elementwise(["f32", "f32"], c.mul), [x, x, y], 3)]);
    expect(await subject.values("f32", y)).toEqual([1, 4, 9]);
  });

  it("an output takes an input's buffer where the kernel says so", async () => {
    const values = wholeNumbers(65537);
    const x = subject.buffer("f32", values);
    subject.device.run([launch(scaled("in place", [0]), [x, x], values.length, [2, 1])]);
    expect(await subject.values("f32", x)).toEqual(values.map((v) => 2 * v + 1));
  });

  it("several outputs take several inputs' buffers", async () => {
    const kernel = { ...adam("f32"), aliases: [0, 2, 3] };
    const [p, g, m, v] = [
      [1, 2],
      [2, 2],
      [0, 0],
      [0, 0],
    ].map((values) => subject.buffer("f32", values)) as [...[Buffer, Buffer], ...[Buffer, Buffer]];
    subject.device.run([launch(kernel, [p, g, m, v, p, m, v], 2, [0.5, 0.875, 0.96875, 0.125, 0.03125])]);
    expect((await subject.values("f32", p)).map((x) => Math.round(x * 1e4) / 1e4)).toEqual([0.5, 1.5]);
    expect(await subject.values("f32", m)).toEqual([0.25, 0.25]);
    expect(await subject.values("f32", v)).toEqual([0.125, 0.125]);
    expect(await subject.values("f32", g)).toEqual([2, 2]);
  });

  it("outputs that swap two inputs read both before they write", async () => {
    const at = axisIndex(0);
    const [a, b] = [load(0, "f32", at), load(1, "f32", at)];
    const kernel = loops({
      name: "sum and difference",
      inputs: ["f32", "f32"],
      outputs: ["f32", "f32"],
      axes: 1,
      writes: [
        { over: [], buffer: 0, index: at, value: c.add(a, b) },
        { over: [], buffer: 1, index: at, value: c.sub(a, b) },
      ],
      aliases: [0, 1],
    });
    const n = 700;
    const [x, y] = [wholeNumbers(n, 9, 1), wholeNumbers(n, 9, 2)];
    const [p, q] = [subject.buffer("f32", x), subject.buffer("f32", y)];
    subject.device.run([launch(kernel, [p, q, p, q], n)]);
    expect(await subject.values("f32", p)).toEqual(x.map((v, i) => v + (y[i] as number)));
    expect(await subject.values("f32", q)).toEqual(x.map((v, i) => v - (y[i] as number)));
  });

  it("a kernel writes a part of its output and leaves the rest alone", async () => {
    const kernel = loops({
      outputs: ["f32"],
      params: ["i32"],
      axes: 2,
      writes: [
        {
          over: [],
          buffer: 0,
          index: c.add(flat(0, 1), param(0, "i32")),
          value: cast(axisIndex(1), "f32"),
        },
      ],
    });
    const y = subject.buffer("f32", new Array(8).fill(-1));
    subject.device.run([
      { executable: subject.device.compile(kernel), buffers: [y], sizes: [2, 2], params: [3] },
    ]);
    expect(await subject.values("f32", y)).toEqual([-1, -1, -1, 0, 1, 0, 1, -1]);
  });
}
