import type { Backend, Buffer } from "../backend.js";
import { bytesOf, type DType, typedArray } from "../dtype.js";
import * as c from "../ir/calculus.js";
import { axisIndex, axisSize, type Expr, load, substitute } from "../ir/expr.js";
import type { Kernel, LoopKernel } from "../ir/kernel.js";
import { interpreter } from "./interpreter.js";

/** What a test launches a kernel with: values of the inputs, lengths of the outputs. */
export interface LaunchValues {
  readonly inputs?: readonly ArrayLike<number>[];
  readonly outputs: readonly number[];
  readonly sizes?: readonly number[];
  readonly params?: readonly number[];
}

export function upload(device: Backend, dtype: DType, values: ArrayLike<number>): Buffer {
  const data = typedArray(dtype, values);
  const buffer = device.alloc(data.byteLength);
  device.write(buffer, data);
  return buffer;
}

export function download(device: Backend, dtype: DType, buffer: Buffer): number[] {
  return [...typedArray(dtype, (device.readSync as NonNullable<Backend["readSync"]>)(buffer))];
}

/** Compiles and runs a kernel once; returns its outputs. */
export function runKernel(kernel: Kernel, launch: LaunchValues, device: Backend = interpreter()): number[][] {
  const executable = device.compile(kernel);
  const inputs = (launch.inputs ?? []).map((values, i) => upload(device, kernel.inputs[i] as DType, values));
  const outputs = launch.outputs.map((n, i) => device.alloc(n * bytesOf(kernel.outputs[i] as DType)));
  const { sizes = [], params = [] } = launch;
  device.run([{ executable, buffers: [...inputs, ...outputs], sizes, params }]);
  return outputs.map((buffer, i) => download(device, kernel.outputs[i] as DType, buffer));
}

/** A loop kernel of defaults: no params, stages or checks. */
export function loopKernel(
  parts: Pick<LoopKernel, "inputs" | "outputs" | "axes" | "grid" | "writes"> & Partial<LoopKernel>,
): LoopKernel {
  return { kind: "loop", name: "test", params: [], stages: [], ...parts };
}

/** The position of the axes' indices in a dense row-major array over these axes. */
export function dense(...axes: number[]): Expr {
  return axes.reduce<Expr>((at, axis, i) => {
    return i === 0 ? axisIndex(axis) : c.add(c.mul(at, axisSize(axis)), axisIndex(axis));
  }, axisIndex(0));
}

/** Element by element, the value of an expression whose operands (`input(k)`) have these values. */
export function evaluate(
  expr: Expr,
  operands: readonly (readonly number[])[],
  dtypes: readonly DType[],
  device?: Backend,
): number[] {
  const value = substitute(expr, (e) =>
    e.kind === "input" ? load(e.index, e.dtype, axisIndex(0)) : undefined,
  );
  const n = (operands[0] as readonly number[]).length;
  const kernel = loopKernel({
    inputs: dtypes,
    outputs: [expr.dtype],
    axes: 1,
    grid: 1,
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value }],
  });
  return runKernel(kernel, { inputs: operands, outputs: [n], sizes: [n] }, device)[0] as number[];
}
