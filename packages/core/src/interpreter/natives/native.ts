import type { NativeKernel } from "../../ir/kernel.js";
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
