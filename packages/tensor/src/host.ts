import {
  bytesOf,
  type DType,
  fail,
  type HalfArray,
  isContiguous,
  type NestedArray,
  type Shape,
  sizeOf,
  type TypedArray,
  typedArray,
} from "@gradus/core";
import { storageOf } from "./apply.js";
import { copyOf } from "./copy.js";
import { asGradusTensor, type GradusTensor } from "./gradus-tensor.js";

/** The elements, row-major, without waiting. */
export function dataOf(x: GradusTensor, op = "data"): TypedArray {
  asGradusTensor(op, x);
  if (x.traced) failTraced(op, x);
  const { device } = x;
  if (device.readSync === undefined) {
    fail("no-sync-read", `${op}: ${device.name} cannot be read without waiting. Use: await x.read()`);
  }
  const { source, at, bytes } = readable(x);
  const values = typedArray(x.dtype, device.readSync(storageOf(source).buffer, at, bytes));
  if (source !== x) source.dispose();
  return values;
}

/** The elements, row-major, on any device. */
export async function readOf(x: GradusTensor): Promise<TypedArray> {
  asGradusTensor("read", x);
  if (x.traced) failTraced("read", x);
  const { source, at, bytes } = readable(x);
  const reading = x.device.read(storageOf(source).buffer, at, bytes);
  if (source !== x) source.dispose();
  return typedArray(x.dtype, await reading);
}

/** `x`, or a dense copy where its elements do not lie in one piece; and which piece of the buffer to read. */
function readable(x: GradusTensor): { source: GradusTensor; at: number; bytes: number } {
  const width = bytesOf(x.dtype);
  const bytes = x.size * width;
  if (x.value.kind === "stored" && isContiguous(x.value.layout)) {
    return { source: x, at: x.size === 0 ? 0 : x.value.layout.offset * width, bytes };
  }
  return { source: copyOf(x), at: 0, bytes };
}

export function itemOf(x: GradusTensor): number {
  if (x.size !== 1) {
    fail(
      "not-scalar",
      `item: expected one element, the tensor has shape [${x.shape.join(", ")}]. Use toArray() or data()`,
    );
  }
  return dataOf(x, "item")[0] as number;
}

/** A flat array as nested ones. */
export function nest(values: ArrayLike<number>, shape: Shape, asBool: boolean): NestedArray {
  const element = (i: number): number | boolean => (asBool ? values[i] !== 0 : (values[i] as number));
  if (shape.length === 0) return element(0);
  const visit = (axis: number, start: number): NestedArray => {
    const n = shape[axis] as number;
    if (axis === shape.length - 1) return Array.from({ length: n }, (_, i) => element(start + i));
    const step = sizeOf(shape.slice(axis + 1));
    return Array.from({ length: n }, (_, i) => visit(axis + 1, start + i * step));
  };
  return visit(0, 0);
}

/** The shape of nested arrays, and their numbers in one row. Throws `ragged-array` where rows differ. */
export function unnest(values: NestedArray): { shape: number[]; flat: number[]; dtype: DType } {
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level) || isTypedArray(level); level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: number[] = [];
  let booleans = 0;
  const visit = (value: unknown, axis: number, path: string): void => {
    const isList = Array.isArray(value) || isTypedArray(value);
    if (axis < shape.length) {
      if (!isList || value.length !== shape[axis]) {
        const got = isList ? `${value.length} entries` : JSON.stringify(value);
        fail(
          "ragged-array",
          `tensor: ${path || "the array"} has ${got}, but its siblings have ${shape[axis]} entries`,
        );
      }
      for (let i = 0; i < value.length; i++) visit(value[i], axis + 1, `${path}[${i}]`);
      return;
    }
    if (typeof value === "boolean") {
      booleans++;
      flat.push(Number(value));
    } else if (typeof value === "number") {
      flat.push(value);
    } else {
      const code = isList ? "ragged-array" : "invalid-argument";
      const got = isList ? "an array where its siblings are numbers" : String(value);
      fail(code, `tensor: ${path || "the value"} is ${got}: expected a number or a boolean`);
    }
  };
  visit(values, 0, "");
  if (booleans > 0 && booleans < flat.length) {
    fail(
      "dtype-mismatch",
      "tensor: numbers and booleans are mixed. Use one of them, or name the dtype of numbers",
    );
  }
  return { shape, flat, dtype: booleans > 0 ? "bool" : "f32" };
}

/** Whether `x` is a typed array of numbers. */
export function isTypedArray(x: unknown): x is TypedArray | HalfArray {
  return (
    ArrayBuffer.isView(x) &&
    !(x instanceof DataView) &&
    !(x instanceof BigInt64Array) &&
    !(x instanceof BigUint64Array)
  );
}

function failTraced(op: string, x: GradusTensor): never {
  if (x.value.kind === "batched") {
    fail(
      "value-in-trace",
      `${op}: inside vmap() a tensor stands for one of ${x.value.map.size} examples and has no value of its own. Return it from the function and look at the result, or choose with where()`,
    );
  }
  fail(
    "value-in-trace",
    `${op}: inside compile() a tensor has no values yet. Return it from the function and look at the result, or run the function without compile()`,
  );
}
