import { type Backend, interpreter, type Tensor } from "@gradus/core";
import { compile, scope, setDefaultDevice, tensor } from "@gradus/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cpu } from "./cpu.js";

// Random programs, step by step against the interpreter rounding each operation to f32; and compiled on one thread and on
// two, which must give the same bits. Odd sizes, views, NaN, infinities; one in thirty is large enough to be split.

const PROGRAMS = 5000;
const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e-40, 3e38, -3e38];

/** Numbers from 0 to 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Step {
  readonly name: string;
  readonly run: (x: Tensor, y: Tensor) => Tensor;
  /** What the error is measured by: the result itself, or that of the step on absolute values. */
  readonly scale?: (x: Tensor, y: Tensor) => Tensor;
  /** Relative error that rounding explains. */
  readonly tolerance: number;
}

const ULP = 2 ** -23;
const unary = [
  ...["exp", "log", "tanh", "sigmoid", "sqrt", "rsqrt", "abs", "neg", "floor", "round", "sign", "relu"],
  ...["erf", "expm1", "log1p", "reciprocal", "square", "softplus", "gelu", "atan", "sin", "cos"],
];
const binary = ["add", "sub", "mul", "div", "maximum", "minimum"];
const reductions = ["sum", "mean", "max", "min"] as const;
type Methods = Record<string, (...args: unknown[]) => Tensor>;
const call = (x: Tensor, name: string, ...args: unknown[]): Tensor =>
  ((x as unknown as Methods)[name] as Methods[string]).call(x, ...args);

function stepOf(random: () => number, shape: readonly number[]): Step {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const axis = Math.floor(random() * shape.length);
  const kind = random();
  if (kind < 0.3) {
    const name = pick(unary);
    // Of a large argument only the reduction's rounding is left; of a difference of near numbers the same.
    const near = name === "sin" || name === "cos" || name === "gelu" || name === "softplus";
    return {
      name,
      run: (x) => call(x, name),
      tolerance: 16 * ULP,
      ...(near && { scale: (x: Tensor) => x.abs().maximum(1) }),
    };
  }
  if (kind < 0.55) {
    const name = pick(binary);
    return { name, run: (x, y) => call(x, name, y), tolerance: 2 * ULP };
  }
  if (kind < 0.62) return { name: "where", run: (x, y) => x.gt(0).where(x, y), tolerance: 0 };
  if (kind < 0.72 && shape.length >= 2) {
    return {
      name: "transpose",
      run: (x, y) => x.transpose(0, -1).mul(y.transpose(0, -1)),
      tolerance: 2 * ULP,
    };
  }
  if (kind < 0.8 && (shape[axis] as number) > 2) {
    const ranges = shape.map((n, k): [number, number] => (k === axis ? [1, n] : [0, n]));
    return {
      name: `slice ${axis}`,
      run: (x, y) => x.slice(...ranges).add(y.slice(...ranges)),
      tolerance: 2 * ULP,
    };
  }
  if (kind < 0.92) {
    const name = pick(reductions);
    const isSum = name === "sum" || name === "mean";
    return {
      name: `${name} ${axis}`,
      run: (x) => call(x, name, axis, { keepdims: true }).add(x),
      tolerance: 8 * ULP,
      ...(isSum && { scale: (x: Tensor) => call(x.abs(), name, axis, { keepdims: true }).add(x.abs()) }),
    };
  }
  if (kind < 0.95) return { name: "softmax", run: (x) => x.softmax(-1), tolerance: 64 * ULP };
  if (kind < 0.97) return { name: "argmax", run: (x) => x.argmax(axis).cast("f32"), tolerance: 0 };
  if (shape.length !== 2)
    return {
      name: "full sum",
      run: (x) => x.mul(0.5).sum().add(x),
      scale: (x) => x.abs().sum().add(x.abs()),
      tolerance: 8 * ULP,
    };
  return {
    name: "matmul",
    run: (x, y) => x.matmul(y.transpose(0, 1)),
    scale: (x, y) => x.abs().matmul(y.abs().transpose(0, 1)),
    tolerance: 1e-5,
  };
}

let devices: readonly [Backend, Backend];
const reference = interpreter({ precision: "float32" });
const exact = interpreter();
beforeAll(async () => {
  devices = [await cpu({ threads: 1 }), await cpu({ threads: 2 })];
});
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

interface Value {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
const contentsOf = (x: Tensor): Value => ({ shape: x.shape, data: x.data() as Float32Array });
const on = (device: Backend, { shape, data }: Value): Tensor => tensor(data, { shape, device });

function differs(step: Step, got: Value, expected: Value, scale: Value): string | undefined {
  if (String(got.shape) !== String(expected.shape)) return `shape ${got.shape}, not ${expected.shape}`;
  for (let k = 0; k < expected.data.length; k++) {
    const [a, b] = [got.data[k] as number, expected.data[k] as number];
    if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b)) || a === b) continue;
    const size = Math.abs(scale.data[k] as number);
    // What overflows lies within rounding of what does not; of the smallest numbers, few bits are left.
    if (size > 3.4e38 && !Number.isNaN(a) && !Number.isNaN(b)) continue;
    if (!Number.isFinite(size) && step.scale !== undefined) continue;
    if (Math.abs(a - b) <= step.tolerance * size + 1e-37) continue;
    return `element ${k} is ${a}, not ${b} (measured by ${size})`;
  }
  return undefined;
}

function check(seed: number): void {
  const random = generator(seed);
  const large = random() < 1 / 30;
  const rank = 1 + Math.floor(random() * 3);
  const most = large ? [0, 70_001, 257, 43][rank] : [0, 131, 23, 9][rank];
  const least = large ? Math.floor((most as number) * 0.9) : 1;
  const shape = Array.from({ length: rank }, () => least + Math.floor(random() * ((most as number) - least)));
  const size = shape.reduce((a, b) => a * b, 1);
  const wild = random() < 0.3;
  const values = (): Value => ({
    shape,
    data: Float32Array.from({ length: size }, () =>
      wild && random() < 0.05
        ? (SPECIAL[Math.floor(random() * SPECIAL.length)] as number)
        : (random() - 0.5) * 2 ** (1 + 4 * random()),
    ),
  });
  const inputs = [values(), values()] as const;
  let [x, y] = inputs;
  const steps: Step[] = [];
  const count = 1 + Math.floor(random() * 4);
  for (let k = 0; k < count; k++) {
    const step = stepOf(random, x.shape);
    steps.push(step);
    scope(() => {
      const got = devices.map((device) => contentsOf(step.run(on(device, x), on(device, y))));
      const expected = contentsOf(step.run(on(reference, x), on(reference, y)));
      const scale = step.scale?.(on(exact, x), on(exact, y));
      const trail = steps.map(({ name }) => name).join(", ");
      got.forEach((value, t) => {
        const problem = differs(step, value, expected, scale === undefined ? expected : contentsOf(scale));
        if (problem)
          throw new Error(`seed ${seed}, [${shape}], ${t + 1} thread(s), after ${trail}: ${problem}`);
      });
      x = got[0] as Value;
      // The other operand goes along where it fits no more.
      if (String(y.shape) !== String(x.shape)) y = { shape: x.shape, data: x.data.map((v) => v * 0.5 - 1) };
    });
  }
  // The same steps as one program.
  const program = (x: Tensor, y: Tensor): Tensor => {
    let [a, b] = [x, y];
    for (const step of steps) {
      a = step.run(a, b);
      if (String(b.shape) !== String(a.shape)) b = a.mul(0.5).sub(1);
    }
    return a;
  };
  const bits = devices.map((device) => {
    setDefaultDevice(device);
    const f = compile(program);
    const result = contentsOf(f(on(device, inputs[0]), on(device, inputs[1])));
    const again = contentsOf(f(on(device, inputs[0]), on(device, inputs[1])));
    f.dispose();
    expect(again, `seed ${seed}: a second call`).toEqual(result);
    return result;
  });
  expect(bits[1], `seed ${seed}: one thread and two`).toEqual(bits[0]);
}

it(`${PROGRAMS} random programs agree with the interpreter, on one thread and on two`, {
  timeout: 1_800_000,
}, () => {
  for (let seed = 1; seed <= PROGRAMS; seed++) check(seed);
});
