import { type DType, isFloat, type TypedArray } from "../dtype.js";
import { fail } from "../errors.js";
import { halfBits, halfValue } from "../half.js";
import { scalarOp } from "../ir/scalar-ops.js";
import {
  type BinaryLoop,
  floatBinary,
  floatTernary,
  floatUnary,
  type TernaryLoop,
  type UnaryLoop,
} from "./float-loops.js";
import { integerBinary, integerTernary } from "./integer-loops.js";
import type { Register } from "./registers.js";

/** Computes n elements. */
export type Step = (n: number) => void;

/** A step that computes an op of the scalar table, `operand` being the dtype of its (last) operand. */
export function opStep(op: string, operand: DType, out: TypedArray, args: readonly Register[]): Step {
  const row = scalarOp(op) ?? fail("kernel-invalid", `unknown op "${op}"`);
  const float = isFloat(operand);
  const value = operand === "i32" ? (row.integer ?? row.value) : row.value;
  const [{ data: a, step: sa }, second, third] = args as [Register, Register?, Register?];
  if (second === undefined) {
    const loop = (float ? floatUnary[op] : undefined) ?? mapUnary(value);
    return (n) => loop(out, a, sa, n);
  }
  const { data: b, step: sb } = second;
  if (third === undefined) {
    const loop = (float ? floatBinary : integerBinary)[op] ?? mapBinary(value);
    return (n) => loop(out, a, sa, b, sb, n);
  }
  const { data: c, step: sc } = third;
  const loop = (float ? floatTernary : integerTernary)[op] ?? mapTernary(value);
  return (n) => loop(out, a, sa, b, sb, c, sc, n);
}

/**
 * A step that converts; as `castNumber` does it, except that f32 rounds only if its register does, or where f32 becomes f32:
 * a value that would have been stored.
 */
export function castStep(from: DType, to: DType, out: TypedArray, { data, step }: Register): Step {
  if (from === "f32" && to === "f32") {
    return (n) => {
      for (let i = 0; i < n; i++) out[i] = Math.fround(data[i * step] as number);
    };
  }
  if (to === "f16") {
    return (n) => {
      for (let i = 0; i < n; i++) out[i] = halfValue(halfBits(data[i * step] as number));
    };
  }
  if (to === "bool") {
    return (n) => {
      for (let i = 0; i < n; i++) out[i] = data[i * step] !== 0 ? 1 : 0;
    };
  }
  if (to === "i32" && isFloat(from)) {
    return (n) => {
      for (let i = 0; i < n; i++) {
        const x = data[i * step] as number;
        // Saturates; NaN fails both comparisons and `| 0` makes it 0.
        out[i] = x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : x | 0;
      }
    };
  }
  return (n) => copyStrided(out, 0, 1, data, step, n);
}

/** `out[at + i * stride] = data[i * step]` for n elements. */
export function copyStrided(
  out: TypedArray,
  at: number,
  stride: number,
  data: TypedArray,
  step: number,
  n: number,
): void {
  if (stride === 1) for (let i = 0; i < n; i++) out[at + i] = data[i * step] as number;
  else for (let i = 0; i < n; i++) out[at + i * stride] = data[i * step] as number;
}

type Value = (...args: number[]) => number;

function mapUnary(value: Value): UnaryLoop {
  return (out, a, sa, n) => {
    for (let i = 0; i < n; i++) out[i] = value(a[i * sa] as number);
  };
}

function mapBinary(value: Value): BinaryLoop {
  return (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = value(a[i * sa] as number, b[i * sb] as number);
  };
}

function mapTernary(value: Value): TernaryLoop {
  return (out, a, sa, b, sb, c, sc, n) => {
    for (let i = 0; i < n; i++) out[i] = value(a[i * sa] as number, b[i * sb] as number, c[i * sc] as number);
  };
}
