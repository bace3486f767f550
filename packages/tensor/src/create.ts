import {
  axisIndex,
  type Backend,
  bytesOf,
  type CreateOptions,
  calculus as c,
  cast,
  castNumber,
  checkShape,
  type DType,
  dtypes,
  type Expr,
  elementBytes,
  fail,
  formatShape,
  type HalfArray,
  isFloat,
  isScalar,
  isTensor,
  type NestedArray,
  param,
  type Scalar,
  type Shape,
  sizeOf,
  type Tensor,
  type TypedArray,
  typedArray,
} from "@gradus/core";
import { applyOne } from "./apply.js";
import { currentTrace } from "./compile/trace.js";
import { checkHas, defaultDevice } from "./device.js";
import { stored } from "./gradus-tensor.js";
import { isTypedArray, unnest } from "./host.js";
import { generate } from "./ops/generate.js";
import { Storage } from "./storage.js";

/**
 * A tensor of the given values: a number, nested arrays (the shape is theirs), or a typed array (one axis unless
 * `shape` is given).
 *
 * The dtype is f32 for numbers and bool for booleans; a typed array keeps its own kind (Float64Array: f64, Float16Array:
 * f16, integer arrays: i32). `dtype` overrides it.
 *
 * @throws `ragged-array` for rows of different lengths, `shape-mismatch` if `shape` does not fit, `index-out-of-range`
 * for whole numbers beyond 32 bits.
 *
 * @example
 * ```ts
 * import { tensor } from "@gradus/tensor";
 * console.log(tensor([[1, 2], [3, 4]]).sum(0)); // → Tensor f32[2] [4, 6]
 * console.log(tensor(new Int32Array([1, 2, 3, 4]), { shape: [2, 2] }).shape); // → [ 2, 2 ]
 * ```
 */
export function tensor(
  values: NestedArray | TypedArray | HalfArray,
  options: CreateOptions & { readonly shape?: Shape } = {},
): Tensor {
  if (isTensor(values))
    fail("invalid-argument", "tensor: the value is a tensor already. Use cast(), reshape() or to()");
  const source = isTypedArray(values) ? fromTyped(values) : unnest(values);
  const shape = options.shape ?? source.shape;
  checkShape("tensor", shape);
  if (sizeOf(shape) !== source.flat.length) {
    fail(
      "shape-mismatch",
      `tensor: ${source.flat.length} values do not fill the shape ${formatShape(shape)} (${sizeOf(shape)})`,
    );
  }
  const dtype = checkDType("tensor", options.dtype ?? source.dtype);
  const device = options.device ?? currentTrace()?.device ?? defaultDevice();
  return upload(device, shape, dtype, toDType(source.flat, dtype));
}

/** A tensor on `device` with the values in `data`, which has the dtype's array type. */
export function upload(device: Backend, shape: Shape, dtype: DType, data: TypedArray): Tensor {
  checkHas("tensor", device, dtype);
  const bytes = data.length * bytesOf(dtype);
  if (bytes > device.caps.maxBufferBytes) {
    fail(
      "out-of-memory",
      `tensor: ${formatShape(shape)} ${dtype} needs ${bytes} bytes; ${device.name} allows ${device.caps.maxBufferBytes} in one buffer`,
    );
  }
  const buffer = device.alloc(bytes);
  if (data.length > 0) device.write(buffer, elementBytes(dtype, data));
  return stored({ shape: [...shape], dtype }, new Storage(device, buffer));
}

function fromTyped(values: TypedArray | HalfArray): {
  shape: number[];
  flat: ArrayLike<number>;
  dtype: DType;
} {
  const dtype = dtypeOf[values[Symbol.toStringTag]] ?? "i32";
  return { shape: [values.length], flat: values, dtype };
}

/** By name, since not every engine has a Float16Array. */
const dtypeOf: Readonly<Record<string, DType>> = {
  Float16Array: "f16",
  Float32Array: "f32",
  Float64Array: "f64",
};

function toDType(flat: ArrayLike<number>, dtype: DType): TypedArray {
  if (isFloat(dtype)) return typedArray(dtype, flat);
  const out = new Int32Array(flat.length);
  for (let i = 0; i < flat.length; i++) {
    const value = flat[i] as number;
    if (dtype === "i32" && Math.abs(value) > 2147483648) {
      fail("index-out-of-range", `tensor: ${value} at position ${i} does not fit i32`);
    }
    out[i] = castNumber(value, dtype);
  }
  return out;
}

function checkDType(op: string, dtype: DType): DType {
  if (!dtypes.includes(dtype))
    fail("dtype-mismatch", `${op}: unknown dtype ${String(dtype)}. Use one of ${dtypes.join(", ")}`);
  return dtype;
}

/**
 * A tensor filled with one value. A {@link Scalar} gives its value of each call inside `compile`.
 *
 * @example
 * ```ts
 * import { full } from "@gradus/tensor";
 * console.log(full([2], 7)); // → Tensor f32[2] [7, 7]
 * ```
 */
export function full(shape: Shape, value: number | Scalar, options: CreateOptions = {}): Tensor {
  checkShape("full", shape);
  const dtype = checkDType("full", options.dtype ?? "f32");
  if (typeof value !== "number" && !isScalar(value))
    fail("invalid-argument", `full: expected a number, got ${String(value)}`);
  const attrs = { name: "full", shape: [...shape], expr: fullExprs[dtype], params: [value] };
  return applyOne(generate, [], attrs, options.device);
}

const fullExprs = {
  f32: param(0, "f32"),
  f16: cast(param(0, "f32"), "f16"),
  f64: param(0, "f64"),
  i32: param(0, "i32"),
  bool: param(0, "bool"),
};

/** A tensor of zeros, f32 unless `dtype` says otherwise. */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 0, options);
}

/** A tensor of ones, f32 unless `dtype` says otherwise. */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 1, options);
}

/**
 * The numbers `start`, `start + step`, ... below `stop` (NumPy's `arange`). With one argument it counts from 0. The
 * dtype is i32 if all three are whole numbers, else f32.
 *
 * @example
 * ```ts
 * import { arange } from "@gradus/tensor";
 * console.log(arange(3)); // → Tensor i32[3] [0, 1, 2]
 * console.log(arange(1, 0, -0.5)); // → Tensor f32[2] [1, 0.5]
 * ```
 */
export function arange(start: number, stop?: number, step = 1, options: CreateOptions = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (![from, to, step].every(Number.isFinite) || step === 0) {
    fail(
      "invalid-argument",
      `arange: start, stop and step must be finite and step not 0, got ${from}, ${to}, ${step}`,
    );
  }
  const length = Math.max(0, Math.ceil((to - from) / step));
  const whole = [from, to, step].every(Number.isInteger);
  return ramp(
    "arange",
    length,
    from,
    step,
    checkDType("arange", options.dtype ?? (whole ? "i32" : "f32")),
    options.device,
  );
}

/**
 * `count` numbers from `start` to `stop`, both included, evenly spaced.
 *
 * @example
 * ```ts
 * import { linspace } from "@gradus/tensor";
 * console.log(linspace(0, 1, 5)); // → Tensor f32[5] [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace(start: number, stop: number, count: number, options: CreateOptions = {}): Tensor {
  if (!Number.isInteger(count) || count < 0)
    fail("invalid-argument", `linspace: count must be a whole number, got ${count}`);
  const dtype = checkDType("linspace", options.dtype ?? "f32");
  return ramp("linspace", count, start, count > 1 ? (stop - start) / (count - 1) : 0, dtype, options.device);
}

function ramp(
  name: string,
  length: number,
  start: number,
  step: number,
  dtype: DType,
  device?: Backend,
): Tensor {
  const attrs = { name, shape: [length], expr: rampExprs[dtype], params: [start, step] };
  return applyOne(generate, [], attrs, device);
}

const rampExprs = {
  f32: rampExpr("f32"),
  f16: cast(rampExpr("f32"), "f16"),
  f64: rampExpr("f64"),
  i32: rampExpr("i32"),
  bool: cast(rampExpr("i32"), "bool"),
};

function rampExpr(dtype: DType): Expr {
  return c.add(param(0, dtype), c.mul(cast(axisIndex(0), dtype), param(1, dtype)));
}

/** The identity matrix, `rows` x `columns` (square by default). */
export function eye(rows: number, columns: number = rows, options: CreateOptions = {}): Tensor {
  checkShape("eye", [rows, columns]);
  const dtype = checkDType("eye", options.dtype ?? "f32");
  const attrs = { name: "eye", shape: [rows, columns], expr: eyeExprs[dtype], params: [] };
  return applyOne(generate, [], attrs, options.device);
}

const eyeExprs = {
  f32: eyeExpr("f32"),
  f64: eyeExpr("f64"),
  f16: eyeExpr("f16"),
  i32: eyeExpr("i32"),
  bool: eyeExpr("bool"),
};

function eyeExpr(dtype: DType): Expr {
  return cast(c.equal(axisIndex(0), axisIndex(1)), dtype);
}
