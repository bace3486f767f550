import { fail } from "./errors.js";

/**
 * Element types. `f32` is the default; `f64` is for the interpreter and the CPU (gradient checks, second-order
 * methods); `i32` holds indices and counts; `bool` is stored as a 4-byte 0 or 1, so that every backend can bind it.
 */
export type DType = "f32" | "f64" | "i32" | "bool";

/** The typed array that holds a dtype on the host. */
export type TypedArray = Float32Array | Float64Array | Int32Array;

export const dtypes: readonly DType[] = ["bool", "i32", "f32", "f64"];

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return dtype === "f64" ? 8 : 4;
}

export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f64";
}

/**
 * The dtype of a result of two operands: the later of `bool < i32 < f32 < f64`.
 *
 * As in NumPy and JAX, a plain number does not widen a tensor: see {@link promoteNumber}.
 */
export function promote(a: DType, b: DType): DType {
  return dtypes.indexOf(a) >= dtypes.indexOf(b) ? a : b;
}

/**
 * The dtype in which a plain number joins a tensor of dtype `dtype`: a float tensor keeps its own; an integer
 * tensor stays i32 with a whole number and becomes f32 with a fraction; bool joins whole numbers as i32.
 */
export function promoteNumber(dtype: DType, value: number): DType {
  if (isFloat(dtype)) return dtype;
  return Number.isInteger(value) ? "i32" : "f32";
}

/** A view of `length` elements on `bytes`, or a new array if a length alone is given. */
export function typedArray(dtype: DType, source: number | ArrayBufferLike | ArrayLike<number>): TypedArray {
  const Constructor = arrayOf[dtype];
  return typeof source === "number" ? new Constructor(source) : new Constructor(source as ArrayBuffer);
}

const arrayOf = { f32: Float32Array, f64: Float64Array, i32: Int32Array, bool: Int32Array } as const;

/** `value` as an element of `dtype` holds it: rounded to f32, cut to a whole number within i32 (NaN: 0), or 0 and 1. */
export function castNumber(value: number, dtype: DType): number {
  switch (dtype) {
    case "f64":
      return value;
    case "f32":
      return Math.fround(value);
    case "i32":
      return Number.isNaN(value) ? 0 : Math.max(-2147483648, Math.min(2147483647, Math.trunc(value)));
    case "bool":
      return value !== 0 ? 1 : 0;
    default:
      return fail(
        "dtype-mismatch",
        `unknown dtype ${JSON.stringify(dtype satisfies never)}: use f32, f64, i32 or bool`,
      );
  }
}
