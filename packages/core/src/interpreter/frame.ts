import type { TypedArray } from "../dtype.js";
import { castNumber } from "../dtype.js";
import { fail } from "../errors.js";
import type { Kernel } from "../ir/kernel.js";
import { type Precision, type Register, scalarRegister } from "./registers.js";

/** What a launch hands to its kernel: the memory behind each buffer, and how many elements of it are the buffer's. */
export interface BufferView {
  readonly data: Elements;
  readonly length: number;
}

/** A buffer's elements; those of f16 as bits. */
export type Elements = TypedArray | Uint16Array;

/** What the instructions of a compiled kernel share: the buffers and numbers of the launch in progress. */
export class Frame {
  buffers: readonly BufferView[] = [];
  /** Index along the run axis of the first element of the chunk in progress. */
  start = 0;
  readonly sizes: readonly Register[];
  readonly params: readonly Register[];
  /** The index along each loop axis; the driver of the loops sets it. Not used for the run axis. */
  readonly axes: readonly Register[];

  constructor(
    readonly kernel: Kernel,
    axes: number,
    readonly precision: Precision,
  ) {
    this.sizes = Array.from({ length: axes }, () => scalarRegister("i32", precision));
    this.axes = Array.from({ length: axes }, () => scalarRegister("i32", precision));
    this.params = kernel.params.map((dtype) => scalarRegister(dtype, precision));
  }

  open(buffers: readonly BufferView[], sizes: readonly number[], params: readonly number[]): void {
    this.buffers = buffers;
    this.start = 0;
    for (let axis = 0; axis < sizes.length; axis++) {
      (this.sizes[axis] as Register).data[0] = sizes[axis] as number;
    }
    for (let i = 0; i < params.length; i++) {
      const register = this.params[i] as Register;
      // f32 is rounded by its register, if at all; i32 and bool saturate as every cast does.
      const dtype = this.kernel.params[i] as "f32";
      register.data[0] = dtype === "f32" ? (params[i] as number) : castNumber(params[i] as number, dtype);
    }
  }

  /** Lets go of the buffers, so that a compiled kernel keeps no memory alive. */
  close(): void {
    this.buffers = [];
  }

  buffer(index: number): BufferView {
    return this.buffers[index] as BufferView;
  }
}

/** An index beyond its buffer is a mistake in the kernel or its launch: kernels guard or check what they cannot know. */
export function outOfBounds(frame: Frame, buffer: number, element: number): never {
  const { name, inputs } = frame.kernel;
  const { length } = frame.buffer(buffer);
  const isInput = buffer < inputs.length;
  const what = isInput
    ? `reads element ${element} of input ${buffer}`
    : `writes element ${element} of output ${buffer - inputs.length}`;
  return fail("kernel-invalid", `kernel "${name}" ${what}, which has ${length} elements`);
}
