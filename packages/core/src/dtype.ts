import { fail } from "./errors.js";
import { halfBits, halfValue } from "./half.js";

/**
 * Element types. `f32` is the default; `f64` is for the interpreter and the CPU (gradient checks, second-order
 * methods); `f16` (IEEE binary16, PyTorch's `float16`) halves what is kept and moved: numbers are stored in it, while
 * every operation on them computes in f32 and rounds its result once; `i32` holds indices and counts; `bool` is stored as
 * a 4-byte 0 or 1, so that every backend can bind it. Which of them a device has, its `caps` say.
 */
export type DType = "f32" | "f64" | "f16" | "i32" | "bool";

/** The typed array that holds a dtype's values on the host; those of f16 are in a Float32Array, exactly. */
export type TypedArray = Float32Array | Float64Array | Int32Array;

/** A Float16Array, where the engine has one. */
export interface HalfArray extends ArrayLike<number> {
  readonly [Symbol.toStringTag]: "Float16Array";
}

export const dtypes: readonly DType[] = ["bool", "i32", "f16", "f32", "f64"];

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return dtype === "f64" ? 8 : dtype === "f16" ? 2 : 4;
}

export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f64" || dtype === "f16";
}

/** The dtype in which operations on `dtype` compute: f32 for f16, otherwise itself. */
export function computeDType(dtype: DType): DType {
  return dtype === "f16" ? "f32" : dtype;
}

/**
 * The dtype of a result of two operands: the later of `bool < i32 < f16 < f32 < f64`.
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

/**
 * The elements in `source`, a device's bytes or the values themselves, or a new array if a length alone is given. A view of
 * the bytes, except of f16.
 */
export function typedArray(dtype: DType, source: number | ArrayBufferLike | ArrayLike<number>): TypedArray {
  const Constructor = arrayOf[dtype];
  if (typeof source === "number") return new Constructor(source);
  if (dtype !== "f16") return new Constructor(source as ArrayBuffer);
  const isMemory = "byteLength" in source && !ArrayBuffer.isView(source);
  const stored: ArrayLike<number> = isMemory ? new Uint16Array(source) : (source as ArrayLike<number>);
  const values = new Float32Array(stored.length);
  for (let i = 0; i < values.length; i++)
    values[i] = halfValue(isMemory ? (stored[i] as number) : halfBits(stored[i] as number));
  return values;
}

const arrayOf = {
  f32: Float32Array,
  f64: Float64Array,
  f16: Float32Array,
  i32: Int32Array,
  bool: Int32Array,
} as const;

/** The elements as a device's memory holds them, from their values: as `typedArray(dtype, ..)` gives them back. */
export function elementBytes(dtype: DType, values: TypedArray): ArrayBufferView {
  if (dtype !== "f16") return values;
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halfBits(values[i] as number);
  return bits;
}

/**
 * `value` as an element of `dtype` holds it: rounded to f32 or f16, cut to a whole number within i32 (NaN: 0), or 0 and 1.
 */
export function castNumber(value: number, dtype: DType): number {
  switch (dtype) {
    case "f64":
      return value;
    case "f32":
      return Math.fround(value);
    case "f16":
      return halfValue(halfBits(value));
    case "i32":
      return Number.isNaN(value) ? 0 : Math.max(-2147483648, Math.min(2147483647, Math.trunc(value)));
    case "bool":
      return value !== 0 ? 1 : 0;
    default:
      return fail(
        "dtype-mismatch",
        `unknown dtype ${JSON.stringify(dtype satisfies never)}: use f32, f64, f16, i32 or bool`,
      );
  }
}
