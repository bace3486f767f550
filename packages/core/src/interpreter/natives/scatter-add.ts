import { isFloat, type TypedArray } from "../../dtype.js";
import { contiguousStrides, sizeOf } from "../../shape.js";
import { checkLength } from "./check-length.js";
import type { NativeCall } from "./native.js";
import { checkNativeSizes } from "./native-sizes.js";

/**
 * `out = base`, then `out[.., index[p], ..] += source[p]` in order of p. See `NativeName` for the arguments. An index
 * out of range adds nothing and fails the launch.
 *
 * Floats are added in the precision of the output, one after another: there is no place for wider sums.
 */
export function scatterAdd(call: NativeCall): void {
  const { kernel, sizes } = call;
  checkNativeSizes(kernel, sizes);
  const rank = sizes.length / 2;
  const axis = Number(kernel.attrs.axis);
  const shape = sizes.slice(0, rank);
  const indexShape = sizes.slice(rank);
  const total = sizeOf(shape);
  const count = sizeOf(indexShape);
  const base = checkLength(call, 0, total);
  const index = checkLength(call, 1, count);
  const source = checkLength(call, 2, count);
  const out = checkLength(call, 3, total);
  if (out !== base) for (let i = 0; i < total; i++) out[i] = base[i] as number;

  const strides = contiguousStrides(shape);
  const limit = shape[axis] as number;
  const axisStride = strides[axis] as number;
  const add = isFloat(kernel.outputs[0] as "f32") ? addFloat : addInteger;
  const position = new Array<number>(rank).fill(0);
  // Where the element is, its own axis left out.
  let at = 0;
  let bad: string | undefined;
  for (let p = 0; p < count; p++) {
    const i = index[p] as number;
    if (i >= 0 && i < limit) add(out, at + i * axisStride, source[p] as number);
    else bad ??= `scatterAdd: index ${i} is out of range for axis ${axis} with ${limit} elements`;
    for (let a = rank - 1; a >= 0; a--) {
      const stride = a === axis ? 0 : (strides[a] as number);
      position[a] = (position[a] as number) + 1;
      at += stride;
      if ((position[a] as number) < (indexShape[a] as number)) break;
      at -= (position[a] as number) * stride;
      position[a] = 0;
    }
  }
  if (bad !== undefined) call.failed(bad);
}

function addFloat(out: TypedArray, at: number, value: number): void {
  out[at] = (out[at] as number) + value;
}

function addInteger(out: TypedArray, at: number, value: number): void {
  out[at] = ((out[at] as number) + value) | 0;
}
