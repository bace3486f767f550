import { bytesOf, type NativeKernel, runNative, typedArray } from "@gradus/core";
import type { HostCall, HostProgram } from "./program.js";

/** The operations that are no loops: core's references, on this device's memory. */
export function nativeProgram(kernel: NativeKernel): HostProgram {
  return { kind: "host", run: (call) => run(kernel, call) };
}

function run(kernel: NativeKernel, { memory, addresses, bytes, sizes }: HostCall): string | undefined {
  const dtypes = [...kernel.inputs, ...kernel.outputs];
  let message: string | undefined;
  runNative({
    kernel,
    buffers: dtypes.map((dtype, k) => {
      const length = Math.floor((bytes[k] as number) / bytesOf(dtype));
      const Constructor = typedArray(dtype, 0).constructor as Float32ArrayConstructor;
      return { data: new Constructor(memory.memory.buffer, addresses[k], length), length };
    }),
    sizes,
    failed: (problem) => {
      message ??= problem;
    },
  });
  return message;
}
