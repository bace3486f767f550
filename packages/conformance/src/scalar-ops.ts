import { cast, type DType, dtypes, type ScalarOpName, scalarOps } from "@gradus/core";
import { describe, it } from "vitest";
import { apply, elementwise } from "./kernels.js";
import type { Subject } from "./subject.js";
import { combinations, gridOf, MAX_F32, MAX_I32, MIN_I32, shortGridOf } from "./values.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const names = Object.keys(scalarOps) as ScalarOpName[];

/** Every row of the scalar table on every dtype that it takes, and every conversion. */
export function scalarOperations(subject: Subject): void {
  describe.each(names)("%s", (name) => {
    it("agrees with the interpreter at every edge", async () => {
      for (const operands of operandDTypes(name)) await checkGrid(subject, name, operands);
    });

    const rows = known[name];
    if (rows !== undefined) {
      it("has the values of its definition", async () => {
        for (const operands of operandDTypes(name)) {
          const fitting = rows.filter(([args]) => args.every((x, k) => fits(x, operands[k] as DType)));
          if (fitting.length > 0) await checkKnown(subject, name, operands, fitting);
        }
      });
    }
  });

  const wrapping = Object.entries(knownIntegers) as [ScalarOpName, Known][];
  it.each(wrapping)("%s of integers wraps, saturates nothing and never traps", async (name, rows) => {
    const operands = new Array<DType>(scalarOps[name].arity).fill("i32");
    await checkKnown(subject, name, operands, rows);
  });

  describe.each(dtypes)("cast from %s", (from) => {
    it.each(dtypes.filter((to) => to !== from))("to %s", async (to) => {
      const grid = from === "f64" ? [...gridOf(from), 1e39, -1e39, 16777217, 0.1] : [...gridOf(from)];
      if (from === "f32" || from === "f64")
        grid.push(2147483520, 2147483648, -2147483648, -2147483904, 4e9, -4e9);
      const kernel = { ...elementwise([from], (x) => cast(x, to)), name: `${from} to ${to}` };
      await subject.check(
        kernel,
        { inputs: [grid], outputs: [grid.length], sizes: [grid.length] },
        { describe: (i) => String(grid[i]) },
      );
    });
  });

  it("casts as the language of kernels says", async () => {
    const cases: readonly [DType, DType, readonly number[], readonly number[]][] = [
      [
        "f32",
        "i32",
        [1.9, -1.9, 3e9, -3e9, inf, -inf, nan, -0.5],
        [1, -1, MAX_I32, MIN_I32, MAX_I32, MIN_I32, 0, 0],
      ],
      ["f32", "bool", [0, -0, 0.1, -3, nan, inf], [0, 0, 1, 1, 1, 1]],
      ["i32", "f32", [16777217, MAX_I32, MIN_I32, -3], [16777216, 2147483648, -2147483648, -3]],
      ["i32", "bool", [0, 1, -1, 256, MIN_I32], [0, 1, 1, 1, 1]],
      ["bool", "f32", [0, 1], [0, 1]],
      ["bool", "i32", [0, 1], [0, 1]],
      ["f64", "f32", [0.1, 1e39, -1e39, 16777217], [Math.fround(0.1), inf, -inf, 16777216]],
      ["f32", "f64", [Math.fround(0.1), MAX_F32], [Math.fround(0.1), MAX_F32]],
    ];
    for (const [from, to, values, expected] of cases) {
      const kernel = elementwise([from], (x) => cast(x, to));
      const launched = { inputs: [values], outputs: [values.length], sizes: [values.length] };
      await subject.check(kernel, launched, { values: [expected] });
    }
  });
}

/** The dtypes that operations take: all but f16, which is for storage. */
const computing = dtypes.filter((dtype) => dtype !== "f16");

/** The combinations of operand dtypes that a row takes. */
function operandDTypes(name: ScalarOpName): DType[][] {
  const { arity, typing } = scalarOps[name];
  const same = (list: readonly DType[]): DType[][] =>
    list.map((dtype) => new Array<DType>(arity).fill(dtype));
  switch (typing) {
    case "float":
      return same(["f32", "f64"]);
    case "number":
      return same(["f32", "f64", "i32"]);
    case "compare":
    case "test":
      return same(computing);
    case "logic":
      return same(["bool"]);
    case "bits":
      return same(["i32"]);
    case "select":
      return computing.map((dtype) => ["bool", ...new Array<DType>(arity - 1).fill(dtype)]);
    default:
      return typing satisfies never;
  }
}

async function checkGrid(subject: Subject, name: ScalarOpName, operands: readonly DType[]): Promise<void> {
  const grids = operands.map((dtype) => (operands.length === 3 ? shortGridOf(dtype) : gridOf(dtype)));
  const within = domains[name];
  const all = combinations(grids);
  const kept = (all[0] as number[]).flatMap((_, i) => {
    const point = all.map((column) => column[i] as number);
    return within === undefined || within(...point) ? [i] : [];
  });
  const columns = all.map((column) => kept.map((i) => column[i] as number));
  const n = kept.length;
  const kernel = {
    ...elementwise(operands, (...args) => apply(name, ...args)),
    name: `${name} of ${operands[0]}`,
  };
  await subject.check(
    kernel,
    { inputs: columns, outputs: [n], sizes: [n] },
    { tolerance: name, describe: (i) => columns.map((column) => column[i]).join(", ") },
  );
}

type Known = readonly (readonly [operands: readonly number[], value: number])[];

async function checkKnown(
  subject: Subject,
  name: ScalarOpName,
  operands: readonly DType[],
  rows: Known,
): Promise<void> {
  const n = rows.length;
  const columns = operands.map((_, k) => rows.map(([args]) => args[k] as number));
  await subject.check(
    { ...elementwise(operands, (...args) => apply(name, ...args)), name: `${name} of ${operands[0]}` },
    { inputs: columns, outputs: [n], sizes: [n] },
    {
      tolerance: name,
      values: [rows.map(([, value]) => value)],
      describe: (i) => (rows[i] as Known[0])[0].join(", "),
    },
  );
}

function fits(x: number, dtype: DType): boolean {
  if (dtype === "bool") return x === 0 || x === 1;
  return dtype !== "i32" || (x | 0) === x;
}

/** Where an f32 implementation can be held to its tolerance: elsewhere a rounding of the argument decides the result. */
const domains: Partial<Record<ScalarOpName, (...args: number[]) => boolean>> = {
  sin: (x) => !(Math.abs(x) > 100 && Math.abs(x) < inf),
  cos: (x) => !(Math.abs(x) > 100 && Math.abs(x) < inf),
  tan: (x) => !(Math.abs(x) > 100 && Math.abs(x) < inf),
  // A remainder by repeated subtraction needs a quotient that f32 holds.
  remainder: moderateQuotient,
  fmod: moderateQuotient,
  sinc: (x) => !(Math.abs(x) > 30 && Math.abs(x) < inf),
  // Poles at the negative whole numbers, and a sine of the argument between them.
  lgamma: (x) => x > 0,
  digamma: (x) => x > 0,
  polygamma: (x, n) => x > 1e-3 && x < 1e6 && n < 5,
  // C and IEEE 754 say 1, JavaScript says NaN.
  pow: (a, b) => !(a === -1 && Math.abs(b) === inf),
};

function moderateQuotient(a: number, b: number): boolean {
  return b === 0 || !Number.isFinite(a) || !Number.isFinite(b) || Math.abs(a / b) < 2 ** 20;
}

/** Values by hand. A row that is added to the table needs none here: the grid covers it. */
const known: Partial<Record<ScalarOpName, Known>> = {
  add: [
    [[2, 3], 5],
    [[inf, 1], inf],
    [[inf, -inf], nan],
  ],
  sub: [
    [[2, 3], -1],
    [[inf, inf], nan],
  ],
  mul: [
    [[2, 3], 6],
    [[0, inf], nan],
    [[-2, inf], -inf],
  ],
  div: [
    [[3, 2], 1.5],
    [[1, 0], inf],
    [[-1, 0], -inf],
    [[1, -0], -inf],
    [[0, 0], nan],
  ],
  pow: [
    [[2, 10], 1024],
    [[0, 0], 1],
    [[1, nan], 1],
    [[nan, 0], 1],
    [[-2, 3], -8],
    [[-1, 0.5], nan],
    [[0, -1], inf],
  ],
  maximum: [
    [[2, 3], 3],
    [[nan, 3], nan],
    [[3, nan], nan],
    [[-inf, 3], 3],
  ],
  minimum: [
    [[2, 3], 2],
    [[nan, 3], nan],
    [[3, nan], nan],
    [[inf, 3], 3],
  ],
  atan2: [
    [[1, -1], (3 * Math.PI) / 4],
    [[-1, 0], -Math.PI / 2],
    [[0, -1], Math.PI],
    [[0, 1], 0],
  ],
  hypot: [
    [[3, 4], 5],
    [[3e30, 4e30], 5e30],
    [[0, 0], 0],
    [[-inf, 1], inf],
  ],
  remainder: [
    [[-7, 3], 2],
    [[7, -3], -2],
    [[5.5, 2], 1.5],
  ],
  fmod: [
    [[-7, 3], -1],
    [[7, -3], 1],
    [[5.5, 2], 1.5],
  ],
  neg: [
    [[2], -2],
    [[inf], -inf],
  ],
  abs: [
    [[-2], 2],
    [[-inf], inf],
    [[nan], nan],
  ],
  sign: [
    [[-2], -1],
    [[0], 0],
    [[3], 1],
  ],
  square: [[[-3], 9]],
  reciprocal: [
    [[4], 0.25],
    [[0], inf],
    [[-0], -inf],
    [[inf], 0],
  ],
  floor: [
    [[-1.5], -2],
    [[1.5], 1],
    [[-inf], -inf],
    [[8388609], 8388609],
  ],
  ceil: [
    [[-1.5], -1],
    [[1.5], 2],
  ],
  trunc: [
    [[-1.5], -1],
    [[1.5], 1],
    [[1e10], 1e10],
  ],
  round: [
    [[2.5], 2],
    [[3.5], 4],
    [[-2.5], -2],
    [[0.5], 0],
    [[1.75], 2],
  ],
  frac: [
    [[-1.25], -0.25],
    [[2.5], 0.5],
  ],
  exp: [
    [[1], Math.E],
    [[-inf], 0],
    [[inf], inf],
    [[0], 1],
    [[100], Math.exp(100)],
  ],
  exp2: [
    [[10], 1024],
    [[-1], 0.5],
    [[-inf], 0],
  ],
  expm1: [
    [[1e-20], 1e-20],
    [[1], Math.E - 1],
    [[-inf], -1],
  ],
  log: [
    [[1], 0],
    [[0], -inf],
    [[-1], nan],
    [[inf], inf],
  ],
  log2: [
    [[1024], 10],
    [[0], -inf],
  ],
  log10: [[[1000], 3]],
  log1p: [
    [[1e-20], 1e-20],
    [[-1], -inf],
  ],
  sqrt: [
    [[9], 3],
    [[-1], nan],
    [[inf], inf],
  ],
  rsqrt: [
    [[4], 0.5],
    [[0], inf],
  ],
  logaddexp: [
    [[0, 0], Math.LN2],
    [[-inf, -inf], -inf],
    [[900, 900], 900 + Math.LN2],
    [[inf, -inf], inf],
  ],
  sin: [
    [[0], 0],
    [[1], 0.8414709848078965],
    [[inf], nan],
  ],
  cos: [
    [[0], 1],
    [[1], 0.5403023058681398],
    [[inf], nan],
  ],
  tan: [
    [[0], 0],
    [[1], 1.5574077246549023],
  ],
  asin: [
    [[0.5], Math.PI / 6],
    [[2], nan],
  ],
  acos: [
    [[0.5], Math.PI / 3],
    [[-1], Math.PI],
  ],
  atan: [
    [[1], Math.PI / 4],
    [[-inf], -Math.PI / 2],
  ],
  sinh: [
    [[1], (Math.E - 1 / Math.E) / 2],
    [[-inf], -inf],
  ],
  cosh: [
    [[1], (Math.E + 1 / Math.E) / 2],
    [[-inf], inf],
  ],
  tanh: [
    [[1], (Math.E ** 2 - 1) / (Math.E ** 2 + 1)],
    [[1000], 1],
    [[-inf], -1],
  ],
  asinh: [[[1], Math.log(1 + Math.SQRT2)]],
  acosh: [
    [[2], Math.log(2 + Math.sqrt(3))],
    [[0.5], nan],
  ],
  atanh: [
    [[0.5], Math.log(3) / 2],
    [[1], inf],
    [[2], nan],
  ],
  erf: [
    [[0.5], 0.5204998778130465],
    [[inf], 1],
    [[-10], -1],
  ],
  erfc: [
    [[0.5], 0.4795001221869535],
    [[inf], 0],
    [[-10], 2],
  ],
  relu: [
    [[-2], 0],
    [[3], 3],
    [[nan], nan],
    [[-inf], 0],
  ],
  sigmoid: [
    [[0], 0.5],
    [[-1000], 0],
    [[1000], 1],
  ],
  logSigmoid: [
    [[0], -Math.LN2],
    [[-1000], -1000],
    [[1000], 0],
  ],
  softplus: [
    [[0], Math.LN2],
    [[1000], 1000],
    [[-1000], 0],
  ],
  silu: [
    [[0], 0],
    [[1], 1 / (1 + 1 / Math.E)],
  ],
  gelu: [
    [[1], 0.8413447460685429],
    [[-10], 0],
    [[10], 10],
  ],
  leakyRelu: [
    [[-2, 0.125], -0.25],
    [[3, 0.125], 3],
  ],
  elu: [
    [[-1, 2], 2 / Math.E - 2],
    [[3, 2], 3],
  ],
  eq: [
    [[2, 2], 1],
    [[2, 3], 0],
    [[0, -0], 1],
    [[nan, nan], 0],
    [[1, 1], 1],
  ],
  ne: [
    [[2, 2], 0],
    [[nan, nan], 1],
    [[1, 0], 1],
  ],
  lt: [
    [[2, 3], 1],
    [[3, 3], 0],
    [[nan, 3], 0],
    [[0, 1], 1],
  ],
  le: [
    [[3, 3], 1],
    [[4, 3], 0],
    [[3, nan], 0],
    [[0, 0], 1],
  ],
  gt: [
    [[3, 2], 1],
    [[3, 3], 0],
    [[nan, 3], 0],
    [[1, 0], 1],
  ],
  ge: [
    [[3, 3], 1],
    [[2, 3], 0],
    [[3, nan], 0],
    [[1, 1], 1],
  ],
  isNaN: [
    [[nan], 1],
    [[inf], 0],
    [[1], 0],
  ],
  isInf: [
    [[-inf], 1],
    [[nan], 0],
    [[1], 0],
  ],
  isFinite: [
    [[1], 1],
    [[nan], 0],
    [[inf], 0],
  ],
  logicalAnd: [
    [[1, 1], 1],
    [[1, 0], 0],
    [[0, 0], 0],
  ],
  logicalOr: [
    [[0, 1], 1],
    [[0, 0], 0],
  ],
  logicalXor: [
    [[0, 1], 1],
    [[1, 1], 0],
  ],
  logicalNot: [
    [[1], 0],
    [[0], 1],
  ],
  where: [
    [[1, 2, 3], 2],
    [[0, 2, 3], 3],
    [[0, nan, 3], 3],
    [[1, 0, 1], 0],
  ],
  clamp: [
    [[5, 0, 2], 2],
    [[-5, 0, 2], 0],
    [[1, 0, 2], 1],
    [[nan, 0, 2], nan],
  ],
};

const knownIntegers: Partial<Record<ScalarOpName, Known>> = {
  add: [
    [[MAX_I32, 1], MIN_I32],
    [[MIN_I32, -1], MAX_I32],
  ],
  sub: [[[MIN_I32, 1], MAX_I32]],
  mul: [
    [[65537, 65537], 131073],
    [[MIN_I32, -1], MIN_I32],
  ],
  neg: [[[MIN_I32], MIN_I32]],
  abs: [
    [[MIN_I32], MIN_I32],
    [[-7], 7],
  ],
  square: [[[65537], 131073]],
  idiv: [
    [[7, 2], 3],
    [[-7, 2], -3],
    [[7, 0], 0],
    [[MIN_I32, -1], MIN_I32],
    [[0, 0], 0],
  ],
  imod: [
    [[7, 2], 1],
    [[-7, 2], -1],
    [[7, -2], 1],
    [[7, 0], 0],
    [[MIN_I32, -1], 0],
  ],
  remainder: [
    [[-7, 3], 2],
    [[7, -3], -2],
    [[7, 0], 0],
    [[MIN_I32, -1], 0],
  ],
  fmod: [
    [[-7, 3], -1],
    [[7, 0], 0],
  ],
  bitAnd: [
    [[6, 3], 2],
    [[-1, MAX_I32], MAX_I32],
  ],
  bitOr: [[[6, 3], 7]],
  bitXor: [
    [[6, 3], 5],
    [[-1, 1], -2],
  ],
  shiftLeft: [
    [[1, 31], MIN_I32],
    [[3, 1], 6],
    [[1, 33], 2],
  ],
  shiftRight: [
    [[-8, 1], -4],
    [[MIN_I32, 31], -1],
  ],
  shiftRightLogical: [
    [[-1, 28], 15],
    [[-1, 0], -1],
    [[-1, 32], -1],
  ],
};
