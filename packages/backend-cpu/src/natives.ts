import { bytesOf, type DType, type NativeKernel, runNative, typedArray } from "@gradus/core";
import type { Call, Program } from "./program.js";
import type { Scratch } from "./scratch.js";

/** The operations that are no loops: core's references, on this device's memory. */
export function nativeProgram(kernel: NativeKernel, scratch: Scratch): Program {
  const dtypes = [...kernel.inputs, ...kernel.outputs];
  return ({ buffers, sizes }: Call) => {
    const views = buffers.map((buffer, k) => {
      const dtype = dtypes[k] as DType;
      const length = Math.floor(buffer.bytes / bytesOf(dtype));
      const { buffer: memory, address } = scratch.viewOf(buffer);
      const Constructor = typedArray(dtype, 0).constructor as Float32ArrayConstructor;
      return { data: new Constructor(memory, address, length), length };
    });
    let message: string | undefined;
    runNative({
      kernel,
      buffers: views,
      sizes,
      failed: (problem) => {
        message ??= problem;
      },
    });
    return message;
  };
}
