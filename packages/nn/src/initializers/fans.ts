import { fail, formatShape, type Shape } from "@gradus/core";

/**
 * How many inputs one output of a weight sees, and how many outputs one input: of `[outputs, inputs,
 * ...window]` the inputs and the outputs, each times the window's size. As PyTorch counts them.
 *
 * @throws `shape-mismatch` for fewer than two axes.
 */
export function fans(initializer: string, shape: Shape): { readonly fanIn: number; readonly fanOut: number } {
  const [outputs, inputs, ...window] = shape;
  if (outputs === undefined || inputs === undefined) {
    fail(
      "shape-mismatch",
      `${initializer}: a weight has at least two axes, [outputs, inputs, ...], got ${formatShape(shape)}. ` +
        "For a bias: key.zeros(shape)",
    );
  }
  const area = window.reduce((a, b) => a * b, 1);
  return { fanIn: inputs * area, fanOut: outputs * area };
}
