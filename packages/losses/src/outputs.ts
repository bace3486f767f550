import { fail, formatShape, sameShape, type Tensor } from "@gradus/core";
import { checkTensors } from "./check-arguments.js";

// Losses of networks that have several outputs for each target, on the last axis.

/** Throws unless predictions are `[..., names.length]` and targets `[...]`. */
export function checkOutputs(
  loss: string,
  predictions: Tensor,
  targets: Tensor,
  names: readonly string[],
): void {
  checkTensors(loss, "predictions", predictions, targets);
  const expected = [...targets.shape, names.length];
  if (sameShape(predictions.shape, expected)) return;
  fail(
    "shape-mismatch",
    `${loss}: predictions ${formatShape(predictions.shape)} do not fit targets ${formatShape(targets.shape)}: expected ` +
      `${formatShape(expected)}, with ${names.join(", ")} of each target on the last axis`,
  );
}

/** Output `i` on the last axis, without that axis. */
export function outputOf(predictions: Tensor, i: number): Tensor {
  const before = predictions.shape.slice(0, -1).map(() => null);
  return predictions.slice(...before, [i, i + 1]).squeeze(-1);
}
