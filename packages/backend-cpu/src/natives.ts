import {
  bytesOf,
  contiguousStrides,
  type DType,
  fail,
  formatShape,
  isFloat,
  type NativeKernel,
  scalarOps,
  sizeOf,
  type TypedArray,
  typedArray,
} from "@gradus/core";
import type { Call, Program } from "./program.js";
import type { Scratch } from "./scratch.js";

/** The operations that are no loops, in JavaScript. What they compute is documented at `NativeName` in core. */
export function nativeProgram(kernel: NativeKernel, scratch: Scratch): Program {
  const dtypes = [...kernel.inputs, ...kernel.outputs];
  const native = { scatterAdd, argsort, cumulate }[kernel.native];
  return ({ buffers, sizes }: Call) => {
    const view = (k: number, needed: number): TypedArray => {
      const buffer = buffers[k] as (typeof buffers)[0];
      const dtype = dtypes[k] as DType;
      const length = Math.floor(buffer.bytes / bytesOf(dtype));
      if (length < needed) {
        fail(
          "kernel-invalid",
          `kernel "${kernel.name}": buffer ${k} has ${length} elements, but ${needed} are needed`,
        );
      }
      const { buffer: memory, address } = scratch.viewOf(buffer);
      const Constructor = typedArray(dtype, 0).constructor as Float32ArrayConstructor;
      return new Constructor(memory, address, length);
    };
    return native(kernel, sizes, view);
  };
}

type View = (buffer: number, needed: number) => TypedArray;

function checkSizes(kernel: NativeKernel, sizes: readonly number[], isValid: boolean): void {
  if (isValid) return;
  fail(
    "kernel-invalid",
    `kernel "${kernel.name}": ${kernel.native} does not take the sizes ${formatShape(sizes)}`,
  );
}

function scatterAdd(kernel: NativeKernel, sizes: readonly number[], view: View): string | undefined {
  const rank = sizes.length / 2;
  const axis = Number(kernel.attrs.axis);
  const [shape, indexShape] = [sizes.slice(0, rank), sizes.slice(rank)];
  checkSizes(kernel, sizes, Number.isInteger(rank) && axis < rank);
  checkSizes(
    kernel,
    sizes,
    indexShape.every((size, i) => i === axis || size <= (shape[i] as number)),
  );
  const [total, count] = [sizeOf(shape), sizeOf(indexShape)];
  const [base, index, source, out] = [view(0, total), view(1, count), view(2, count), view(3, total)];
  out.set(base.subarray(0, total));

  const strides = contiguousStrides(shape);
  const limit = shape[axis] as number;
  const stride = strides[axis] as number;
  const isWhole = !isFloat(kernel.outputs[0] as DType);
  const position = new Array<number>(rank).fill(0);
  // Where the element is, its own axis left out.
  let at = 0;
  let bad: string | undefined;
  for (let p = 0; p < count; p++) {
    const i = index[p] as number;
    if (i >= 0 && i < limit) {
      const sum = (out[at + i * stride] as number) + (source[p] as number);
      out[at + i * stride] = isWhole ? sum | 0 : sum;
    } else bad ??= `scatterAdd: index ${i} is out of range for axis ${axis} with ${limit} elements`;
    for (let a = rank - 1; a >= 0; a--) {
      const step = a === axis ? 0 : (strides[a] as number);
      position[a] = (position[a] as number) + 1;
      at += step;
      if ((position[a] as number) < (indexShape[a] as number)) break;
      at -= (position[a] as number) * step;
      position[a] = 0;
    }
  }
  return bad;
}

function argsort(kernel: NativeKernel, sizes: readonly number[], view: View): undefined {
  checkSizes(kernel, sizes, sizes.length === 2);
  const [rows, n] = sizes as [number, number];
  const [values, out] = [view(0, rows * n), view(1, rows * n)];
  const sign = kernel.attrs.descending === true ? -1 : 1;
  for (let start = 0; start < rows * n; start += n) {
    const order = out.subarray(start, start + n).map((_, i) => i);
    // Equal values keep their order, whichever way is sorted.
    order.sort((i, j) => sign * compare(values[start + i] as number, values[start + j] as number) || i - j);
    out.set(order, start);
  }
}

/** The order of numbers, NaN behind all others. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function cumulate(kernel: NativeKernel, sizes: readonly number[], view: View): undefined {
  checkSizes(kernel, sizes, sizes.length === 3);
  const [outer, n, inner] = sizes as [number, number, number];
  const count = outer * n * inner;
  const [values, out] = [view(0, count), view(1, count)];
  const { op } = kernel.attrs;
  const isWhole = kernel.outputs[0] === "i32";
  for (let row = 0; row < outer * inner; row++) {
    const start = Math.floor(row / inner) * n * inner + (row % inner);
    let total = 0;
    let best = 0;
    for (let i = 0; i < n; i++) {
      const value = values[start + i * inner] as number;
      if (op === "argmax" || op === "argmin") {
        const beats = Number.isNaN(value) || (op === "argmax" ? value >= best : value <= best);
        if (i === 0 || beats) [total, best] = [i, value];
      } else if (i === 0) total = value;
      else if (op === "prod") total = isWhole ? Math.imul(total, value) : total * value;
      else if (op === "sum") total = isWhole ? (total + value) | 0 : total + value;
      else total = logAddExp(total, value);
      out[start + i * inner] = total;
    }
  }
}

const logAddExp = scalarOps.logaddexp.value;
