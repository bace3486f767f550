import {
  axisIndex,
  type Backend,
  type DType,
  type Expr,
  type LoopKernel,
  load,
  type ScalarOpName,
  scalarOp,
  typedArray,
} from "@gradus/core";
import { beforeAll, describe, expect, it } from "vitest";
import { cpu } from "./cpu.js";

let device: Backend;
beforeAll(async () => {
  device = await cpu({ threads: 1 });
});

/** A function of points, one column for each operand. */
async function computed(
  op: ScalarOpName,
  dtype: DType,
  columns: readonly (readonly number[])[],
): Promise<number[]> {
  const at = axisIndex(0);
  const args = columns.map((_, k): Expr => load(k, dtype, at));
  const kernel: LoopKernel = {
    kind: "loop",
    name: op,
    inputs: columns.map(() => dtype),
    outputs: [dtype],
    params: [],
    axes: 1,
    grid: 1,
    stages: [],
    writes: [{ over: [], buffer: 0, index: at, value: { kind: "op", op, args, dtype } }],
  };
  const count = (columns[0] as readonly number[]).length;
  const buffers = columns.map((column) => {
    const data = typedArray(dtype, count);
    data.set(column);
    const buffer = device.alloc(data.byteLength);
    device.write(buffer, data);
    return buffer;
  });
  const target = device.alloc((dtype === "f32" || dtype === "i32" ? 4 : 8) * count);
  device.run([
    { executable: device.compile(kernel), buffers: [...buffers, target], sizes: [count], params: [] },
  ]);
  const Constructor = typedArray(dtype, 0).constructor as Float32ArrayConstructor;
  return [...new Constructor(await device.read(target))];
}

const BITS = { f32: [-149, 23], f64: [-1074, 52] } as const;
type Float = keyof typeof BITS;

/** The distance from the exact value, in units of its last place. */
function unitsOff(result: number, exact: number, dtype: Float): number {
  // Equal, both NaN, or infinite because the value rounds to that.
  if (Object.is(result, dtype === "f32" ? Math.fround(exact) : exact)) return 0;
  const [least, bits] = BITS[dtype];
  const unit = 2 ** Math.max(least, Math.floor(Math.log2(Math.abs(exact))) - bits);
  const off = Math.abs(result - exact) / unit;
  // Zeros of different signs, or one of the two is no number.
  return off > 0 ? off : Infinity;
}

/** The greatest distance from the reference. */
async function greatest(
  op: ScalarOpName,
  dtype: Float,
  columns: readonly (readonly number[])[],
): Promise<number> {
  const row = scalarOp(op)?.value as (...args: number[]) => number;
  const rounded = columns.map((column) => (dtype === "f32" ? column.map(Math.fround) : column));
  const results = await computed(op, dtype, rounded);
  return results.reduce(
    (most, result, i) =>
      Math.max(most, unitsOff(result, row(...rounded.map((column) => column[i] as number)), dtype)),
    0,
  );
}

const range = (from: number, to: number, count = 4001): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** Floats of every size, in steps of their bits. */
function everySize(dtype: Float): number[] {
  const count = 5003;
  if (dtype === "f32") {
    const bits = Int32Array.from({ length: count }, (_, i) => i * Math.floor(2 ** 32 / count));
    return [...new Float32Array(bits.buffer)];
  }
  const step = 2n ** 64n / BigInt(count);
  const bits = BigInt64Array.from({ length: count }, (_, i) => BigInt.asIntN(64, BigInt(i) * step));
  return [...new Float64Array(bits.buffer)];
}

const { NaN: nan } = Number;
const SPECIAL = [0, -0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 2.5, 1e10, -1e10, Infinity, -Infinity, nan];

describe.each<[ScalarOpName, from: number, to: number, f32: number, f64: number]>([
  ["exp", -87, 88, 1, 2],
  ["exp2", -126, 127, 1, 2],
  ["expm1", -10, 10, 2, 3],
  ["log", 1e-3, 50, 1, 2],
  ["log2", 1e-3, 50, 2, 2],
  ["log10", 1e-3, 50, 0.5, 5],
  ["log1p", -0.9, 10, 2, 2],
  ["sin", -1000, 1000, 2, 2],
  ["cos", -1000, 1000, 2, 2],
  ["tan", -1.5, 1.5, 4, 3],
  ["asin", -1, 1, 0.5, 3],
  ["acos", -1, 1, 0.5, 3],
  ["atan", -10, 10, 0.5, 3],
  ["sinc", -10, 10, 0.5, 6],
  ["sinh", -20, 20, 0.5, 3],
  ["cosh", -20, 20, 0.5, 3],
  ["tanh", -10, 10, 2, 5],
  ["asinh", -50, 50, 0.5, 3],
  ["acosh", 1, 50, 0.5, 3],
  ["atanh", -1, 1, 0.5, 4],
  ["sigmoid", -80, 80, 2, 3],
  ["softplus", -80, 80, 2, 3],
  ["logSigmoid", -80, 80, 2, 3],
  ["erf", -1, 1, 3, 6],
  ["erfinv", -0.9, 0.9, 0.5, 12],
])("%s", (op, from, to, f32, f64) => {
  it.each([
    ["f32", f32],
    ["f64", f64],
  ] as const)("of %s is within %d units, also of subnormals, infinities and NaN", async (dtype, units) => {
    expect(await greatest(op, dtype, [range(from, to)]), `from ${from} to ${to}`).toBeLessThanOrEqual(units);
    // The reference of f64 has errors of its own there.
    const everywhere = dtype === "f64" && (op === "erfinv" || op === "erf") ? SPECIAL : everySize(dtype);
    expect(await greatest(op, dtype, [[...everywhere, ...SPECIAL]])).toBeLessThanOrEqual(units);
  });
});

it.each<[ScalarOpName, units: number]>([
  ["erfc", 6],
  ["gelu", 6],
  ["lgamma", 0.5],
  ["digamma", 0.5],
])("%s of f32 is within %d units", async (op, units) => {
  expect(await greatest(op, "f32", [[...range(-9.5, 30), ...SPECIAL]])).toBeLessThanOrEqual(units);
});

describe.each<[ScalarOpName, f32: number, f64: number]>([
  ["pow", 0.51, 2],
  ["atan2", 0.5, 3],
  ["fmod", 0, 0],
  ["remainder", 0.5, 0],
  ["hypot", 3, 3],
])("%s", (op, f32, f64) => {
  it.each([
    ["f32", f32],
    ["f64", f64],
  ] as const)("of %s is within %d units, at every edge", async (dtype, units) => {
    const points = [...SPECIAL, ...range(-7, 7, 60), ...everySize(dtype).filter((_, i) => i % 60 === 0)];
    const columns = [points.flatMap((x) => points.map(() => x)), points.flatMap(() => points)];
    expect(await greatest(op, dtype, columns)).toBeLessThanOrEqual(units);
  });
});

it("polygamma is within half a unit in f32, at poles and between them", async () => {
  const orders = [0, 1, 2, 3, 6, 12, -1, nan];
  const points = [...range(-6, 12, 145), -54.5, 300.25, ...SPECIAL];
  const columns = [points.flatMap((x) => orders.map(() => x)), points.flatMap(() => orders)];
  expect(await greatest("polygamma", "f32", columns)).toBeLessThanOrEqual(0.501);
});

/** By mpmath, with 60 digits: at these points float64 formulas, the reference's among them, are less exact or nearly fail. */
const exact: readonly [ScalarOpName, units: number, points: readonly (readonly number[])[]][] = [
  [
    "sin",
    1,
    [
      [1e22, -0.8522008497671888],
      [6381956970095103 * 2 ** 797, 1],
      [1048577.5, 0.9648223011268932],
    ],
  ],
  ["sin", 1, [[1e300, -0.8178819121159085]]],
  [
    "cos",
    1,
    [
      [6381956970095103 * 2 ** 797, -4.687165924254628e-19],
      [-1e300, -0.5753861119575491],
    ],
  ],
  [
    "cos",
    1,
    [
      [1048577.5, -0.2629028855836442],
      [1e22, 0.523214785395139],
    ],
  ],
  [
    "erfc",
    4,
    [
      [-2, 1.9953222650189528],
      [0.75, 0.28884436634648486],
      [1.95, 0.005820666407810883],
    ],
  ],
  [
    "erfc",
    12,
    [
      [6, 2.1519736712498913e-17],
      [26, 5.663192408856143e-296],
    ],
  ],
  [
    "erfinv",
    4,
    [
      [1e-12, 8.86226925452758e-13],
      [0.995, 1.984872612615532],
      [0.9999999999, 4.572824958544925],
    ],
  ],
  [
    "gelu",
    4,
    [
      [-8, -4.976768459417427e-15],
      [-1.3, -0.12584062996129342],
      [0.2, 0.11585194188782061],
    ],
  ],
  [
    "lgamma",
    4,
    [
      [1e-310, 713.8013788281542],
      [0.3, 1.0957979948180756],
      [1.000001, -5.772148423874147e-7],
    ],
  ],
  [
    "lgamma",
    12,
    [
      [1.4616, -0.12148629003589732],
      [9.99, 12.779315214350193],
      [123.4, 469.3360974421906],
    ],
  ],
  [
    "lgamma",
    4,
    [
      [1e15, 3.3538776394910668e16],
      [-0.5, 1.2655121234846454],
      [-10.3, -14.457515440024208],
    ],
  ],
  [
    "digamma",
    4,
    [
      [1e-8, -100000000.57721564],
      [0.3, -3.502524222200133],
      [2.5, 0.7031566406452432],
    ],
  ],
  [
    "digamma",
    8,
    [
      [1e10, 23.025850929890456],
      [-0.4, 0.9593807861068093],
      [-10.3, 4.662403493582087],
    ],
  ],
  [
    "log10",
    2,
    [
      [1000, 3],
      [2e-310, -309.69897000433605],
      [0.9999, -4.3431619807505604e-5],
    ],
  ],
  [
    "pow",
    2,
    [
      [1.0000001, 1e9, 2.6881038582144647e43],
      [0.7, -1900.5, 2.461358948018992e294],
    ],
  ],
  [
    "pow",
    2,
    [
      [9.5, 315.2, 1.5082744945747255e308],
      [1e-300, -1.02, 1.0000000000000122e306],
    ],
  ],
  [
    "polygamma",
    8,
    [
      [3.25, 2, -0.12815694713911513],
      [-2.3, 1, 14.725912160961292],
    ],
  ],
  [
    "polygamma",
    16,
    [
      [-54.5, 6, -4.332653578522099e-9],
      [1e-5, 3, 5.999999999999999e20],
    ],
  ],
];

it.each(exact)("%s of f64 is within %d units where that is hard", async (op, units, points) => {
  const columns = (points[0] as readonly number[])
    .slice(1)
    .map((_, k) => points.map((point) => point[k] as number));
  const results = await computed(op, "f64", columns);
  points.forEach((point, i) => {
    const off = unitsOff(results[i] as number, point.at(-1) as number, "f64");
    expect(off, `${op}(${point.slice(0, -1)})`).toBeLessThanOrEqual(units);
  });
});

it.each<ScalarOpName>(["sin", "cos", "erfinv", "lgamma", "digamma"])(
  "%s of a number does not depend on the numbers beside it",
  async (op) => {
    const values = [0.9, -36.25, 1e6, 2.5, 0.75, Infinity, 3.5, 0.25];
    for (const dtype of ["f32", "f64"] as const) {
      const together = await computed(op, dtype, [values]);
      for (const [i, value] of values.entries()) {
        const [alone] = await computed(op, dtype, [[value, 0.5, 0.5, 0.5]]);
        expect(together[i], `${op}(${value})`).toBe(alone);
      }
    }
  },
);

it.each<ScalarOpName>([
  ...(["idiv", "imod", "fmod", "remainder", "shiftLeft", "shiftRight", "shiftRightLogical"] as const),
])("%s of i32 is exact for lanes of every size", async (op) => {
  const row = scalarOp(op);
  const exact = (row?.integer ?? row?.value) as (a: number, b: number) => number;
  const points = [0, 1, -1, 2, -3, 7, 31, 32, 33, -32, 46341, 65537, 2 ** 31 - 1, -(2 ** 31), 123456789];
  const columns = [points.flatMap((a) => points.map(() => a)), points.flatMap(() => points)] as const;
  const results = await computed(op, "i32", columns);
  results.forEach((result, i) => {
    const [a, b] = [columns[0][i] as number, columns[1][i] as number];
    expect(result, `${a}, ${b}`).toBe(exact(a, b) + 0);
  });
});
