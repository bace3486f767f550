import { GradusError } from "../../errors.js";
import type { Kernel, NativeKernel } from "../../ir/kernel.js";
import type { BufferView } from "../frame.js";

/** One launch of a native: buffers in the kernel's order, sizes as the native documents them. */
export interface NativeCall {
  readonly kernel: NativeKernel;
  readonly buffers: readonly BufferView[];
  readonly sizes: readonly number[];
  /** Reports what the kernel checks on the device. */
  readonly failed: (message: string) => void;
}

export type Native = (call: NativeCall) => void;

/** The error of a launch that found something wrong with its elements: an index, or what a host native says. */
export function launchError(kernel: Kernel, message: string): GradusError {
  const isHost = kernel.kind === "native" && kernel.native === "host";
  return isHost
    ? new GradusError("invalid-argument", message)
    : new GradusError("index-out-of-range", `kernel "${kernel.name}": ${message}`);
}
