import type { TypedArray } from "../../dtype.js";
import { fail } from "../../errors.js";
import type { NativeCall } from "./native.js";

/** The memory of a buffer that must hold at least `needed` elements. */
export function checkLength({ kernel, buffers }: NativeCall, buffer: number, needed: number): TypedArray {
  const { data, length } = buffers[buffer] as { data: TypedArray; length: number };
  if (length < needed) {
    fail(
      "kernel-invalid",
      `kernel "${kernel.name}": buffer ${buffer} has ${length} elements, but ${needed} are needed`,
    );
  }
  return data;
}
