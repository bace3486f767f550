import {
  type ConvOptions,
  type ConvTransposeOptions,
  fail,
  formatShape,
  promote,
  type Tensor,
} from "@gradus/core";
import { asGradusTensor } from "../gradus-tensor.js";
import { convolve } from "./convolve.js";
import { perAxis, windowCount } from "./windows.js";

export function conv(x: Tensor, weight: Tensor, options: ConvOptions = {}): Tensor {
  const [outputs, channels, ...sizes] = weight.shape as [number, number, ...number[]];
  const { input, kernel, stride, dilation, groups } = operands("conv", x, weight, options);
  checkChannels("conv", x, weight, channels * groups, groups, outputs);
  const padding = paddingOf(options.padding ?? 0, sizes, stride, dilation);
  const out = sizes.map((size, i) =>
    windowCount("conv", x.shape, {
      size: input.shape[2 + i] as number,
      kernel: size,
      stride: stride[i] as number,
      dilation: dilation[i] as number,
      padding: padding[i] as [number, number],
    }),
  );
  const y = convolve(
    inGroups(input, groups),
    kernel.reshape([groups, outputs / groups, channels, ...sizes]),
    {
      stride,
      dilation,
      spread: sizes.map(() => 1),
      padding: padding.map(([before]) => before),
      out,
    },
  );
  return finish("conv", x, y, outputs, options.bias);
}

export function convTranspose(x: Tensor, weight: Tensor, options: ConvTransposeOptions = {}): Tensor {
  const op = "convTranspose";
  const [channels, perGroup, ...sizes] = weight.shape as [number, number, ...number[]];
  const { input, kernel, stride, dilation, groups } = operands(op, x, weight, options);
  checkChannels(op, x, weight, channels, groups, channels);
  const padding = perAxis(op, "padding", options.padding ?? 0, sizes.length, 0);
  const extra = perAxis(op, "outputPadding", options.outputPadding ?? 0, sizes.length, 0);
  const reach = sizes.map((size, i) => (dilation[i] as number) * (size - 1));
  const out = reach.map((steps, i) => {
    const [step, more] = [stride[i] as number, extra[i] as number];
    if (more >= Math.max(step, dilation[i] as number)) {
      fail(
        "invalid-argument",
        `${op}: outputPadding ${more} must be smaller than the stride ${step} or the dilation ${dilation[i]}`,
      );
    }
    const count = ((input.shape[2 + i] as number) - 1) * step - 2 * (padding[i] as number) + steps + more + 1;
    if (count < 1)
      fail("shape-mismatch", `${op}: nothing is left of ${formatShape(x.shape)} after the padding`);
    return count;
  });
  const grouped = kernel.reshape([groups, channels / groups, perGroup, ...sizes]).transpose(1, 2);
  const y = convolve(inGroups(input, groups), grouped.flip(sizes.map((_, i) => 3 + i)), {
    stride: sizes.map(() => 1),
    dilation,
    spread: stride,
    padding: reach.map((steps, i) => steps - (padding[i] as number)),
    out,
  });
  return finish(op, x, y, perGroup * groups, options.bias);
}

interface Operands {
  /** With a batch axis. */
  readonly input: Tensor;
  readonly kernel: Tensor;
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** What both take, of one dtype. */
function operands(op: string, x: Tensor, weight: Tensor, options: ConvOptions): Operands {
  asGradusTensor(op, weight);
  const rank = weight.ndim - 2;
  if (rank < 1 || (x.ndim !== rank + 2 && x.ndim !== rank + 1) || weight.shape.indexOf(0, 2) > 0) {
    fail(
      "shape-mismatch",
      `${op}: the weight ${formatShape(weight.shape)} slides over ${Math.max(0, rank)} axes: the input needs a batch axis, channels and these, got ${formatShape(x.shape)}`,
    );
  }
  const joined = promote(x.dtype, weight.dtype);
  const dtype = joined === "bool" ? "i32" : joined;
  const input = x.cast(dtype);
  return {
    input: x.ndim === rank + 1 ? input.unsqueeze(0) : input,
    kernel: weight.cast(dtype),
    stride: perAxis(op, "stride", options.stride ?? 1, rank, 1),
    dilation: perAxis(op, "dilation", options.dilation ?? 1, rank, 1),
    groups: options.groups ?? 1,
  };
}

/** That the input has the channels that the weight takes, and that they can be cut. */
function checkChannels(
  op: string,
  x: Tensor,
  weight: Tensor,
  channels: number,
  groups: number,
  cut: number,
): void {
  const given = x.shape.at(1 - weight.ndim);
  if (channels !== given) {
    fail(
      "shape-mismatch",
      `${op}: the weight ${formatShape(weight.shape)} takes ${channels} channels (groups: ${groups}), the input ${formatShape(x.shape)} has ${given}`,
    );
  }
  if (!(groups >= 1) || cut % groups !== 0)
    fail("invalid-argument", `${op}: groups must divide the ${cut} channels, got ${groups}`);
}

function paddingOf(
  padding: ConvOptions["padding"] & {},
  sizes: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): [before: number, after: number][] {
  if (padding === "valid") return sizes.map(() => [0, 0]);
  if (padding !== "same") return perAxis("conv", "padding", padding, sizes.length, 0).map((n) => [n, n]);
  if (stride.some((step) => step !== 1))
    fail("invalid-argument", 'conv: padding "same" needs a stride of 1. Give the padding as a number');
  return sizes.map((size, i) => {
    const total = (dilation[i] as number) * (size - 1);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
}

/** `[rows, groups * channels, ...]` as `[groups, rows, channels, ...]`. */
function inGroups(x: Tensor, groups: number): Tensor {
  const [rows, channels, ...sizes] = x.shape as [number, number, ...number[]];
  return x.reshape([rows, groups, channels / groups, ...sizes]).transpose(0, 1);
}

/** The way back from groups, with the bias, and without a batch axis where x has none. */
function finish(op: string, x: Tensor, y: Tensor, outputs: number, bias: Tensor | undefined): Tensor {
  const [, rows, , ...sizes] = y.shape as [number, number, number, ...number[]];
  const batch = x.ndim === sizes.length + 1 ? [] : [rows];
  const joined = y.transpose(0, 1).reshape([...batch, outputs, ...sizes]);
  if (bias === undefined) return joined;
  if (bias.ndim !== 1 || bias.size !== outputs)
    fail("shape-mismatch", `${op}: the bias must be [${outputs}], got ${formatShape(bias.shape)}`);
  const added = joined.dtype === "f16" ? bias.cast("f16") : bias;
  return joined.add(added.reshape([outputs, ...sizes.map(() => 1)]));
}
