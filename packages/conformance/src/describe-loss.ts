import type { Backend, DType, NestedArray, Tensor } from "@gradus/core";
import { describe, it } from "vitest";
import { type AnyLoss, LossSubject } from "./loss/loss-subject.js";
import { lossTests } from "./loss/loss-tests.js";

/** What a loss is computed of. */
export interface LossInputs {
  readonly predictions: NestedArray;
  readonly targets: NestedArray;
}

export interface LossSuiteOptions<Options extends object = object> extends Partial<LossInputs> {
  /**
   * Predictions and targets of at least two samples (axis 0), away from places where the loss has no derivative. By
   * default `[3, 2]` of numbers around 0 against others.
   */
  readonly predictions?: NestedArray;
  readonly targets?: NestedArray;
  /** The dtype of the targets. By default that of the predictions, so that it may be either float. */
  readonly targetDtype?: DType;
  /** Options that every call gets, beside those of the suite. */
  readonly options?: Options;
  /** The reductions that the loss knows. Default `none`, `mean` and `sum`. */
  readonly reductions?: readonly ("none" | "mean" | "sum")[];
  /**
   * The shape of the unreduced losses, for these inputs. By default the loss of a sample may have any: only axis 0 is
   * that of the predictions.
   */
  readonly unreducedShape?: readonly number[];
  /**
   * By what the mean divides the sum. By default by the number of unreduced losses; a function of the unreduced losses
   * for something else, or `false` for "do not look".
   */
  readonly meanDivisor?: ((losses: Tensor) => number) | false;
  /** Whether the loss takes `sampleWeight`, as those of `@gradus/losses` do. Default false. */
  readonly sampleWeight?: boolean;
  /** Whether the gradient by the targets is asked for too. Default false. */
  readonly differentiatesTargets?: boolean;
  /**
   * What a network at its worst may give: value and gradient of the sum must be finite. By default predictions of 1e4,
   * -1e4 and 0 in turn, against the same targets.
   */
  readonly extreme?: LossInputs;
  /** Whether there may be no samples at all: the sum of nothing is 0, the mean NaN. Default true. */
  readonly empty?: boolean;
  /** Whether targets of another number of samples are refused with `shape-mismatch`. Default true. */
  readonly refuses?: boolean;
  /** Where compiled and eager code are compared. Default: the reference interpreter. */
  readonly device?: () => Backend | Promise<Backend>;
}

/**
 * Declares the tests that every loss passes: for authors of one, in a package of their own. A loss is a function of
 * predictions, targets and options; the suite holds that
 *
 * - unreduced it keeps the samples, else it is one number of the predictions' dtype; `mean` is the default; `sum` and
 *   `mean` are what their names say, also of nothing; an unknown reduction is refused;
 * - `sampleWeight`, if it has that, multiplies each sample's loss and makes the mean a weighted one;
 * - its gradient is that of finite differences in float64, for every reduction, and so is its gradient's;
 * - value and gradient are finite at extreme predictions, in float64 and with each operation rounded to float32;
 * - it is the same compiled, without looking at values, and leaves no memory behind;
 * - it changes nothing and gives the same twice; targets that do not fit are refused.
 *
 * @example In a test file of your package:
 * ```ts suite
 * import { describeLoss } from "@gradus/conformance";
 * import { crossEntropy, logCosh } from "@gradus/losses";
 * describeLoss("logCosh", logCosh);
 * describeLoss("crossEntropy", crossEntropy, {
 *   predictions: [[0.3, -1.2, 0.7], [2.5, 0.1, -0.4]],
 *   targets: [2, 0],
 *   targetDtype: "i32",
 * });
 * ```
 */
export function describeLoss<Options extends object>(
  name: string,
  loss: (predictions: Tensor, targets: Tensor, options?: Options) => Tensor,
  options: LossSuiteOptions<NoInfer<Options>> = {},
): void {
  const subject = new LossSubject(loss as AnyLoss, options);
  describe(name, () => {
    for (const [title, declare] of Object.entries(lossTests)) {
      if (title === "refuses" && options.refuses === false) continue;
      describe(title, () => declare(subject, it));
    }
  });
}
