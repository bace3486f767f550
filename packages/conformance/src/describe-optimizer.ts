import type { Backend, Optimizer, Rule } from "@gradus/core";
import { describe } from "vitest";
import { optimizerTests } from "./optimizer/optimizer-tests.js";
import { ruleTests } from "./optimizer/rule-tests.js";

export interface OptimizerSuiteOptions {
  /** A learning rate with which it descends: the distance to the minimum begins near 1. Default 0.05. */
  readonly lr?: number;
  /** Updates, or steps of an optimizer that evaluates the objective itself. Default 100. */
  readonly steps?: number;
  /** What must be left of the distance to the minimum after them, at most. Default 0.5. */
  readonly reaches?: number;
  /** Whether parameters of less than two axes are among those that it is tried on. Default true. */
  readonly vectors?: boolean;
  /** Whether `lr` may be a schedule. Default true. */
  readonly schedules?: boolean;
  /** Where the tests run, apart from those of memory. Default: the reference interpreter. */
  readonly device?: () => Backend | Promise<Backend>;
}

/**
 * Declares the tests that every optimizer passes: for authors of one, in a package of their own. A `Rule` (first order)
 *
 * - descends on a quadratic, in f32 and f64, and keeps trees' structures, types and dtypes;
 * - respects its learning rate: 0 moves nothing, two rates differ, a schedule gives what its numbers give;
 * - is pure, and the same compiled as not, in one program for each of its variants, whatever the step;
 * - has a state that `init` shapes and that a file can hold: a copy of it goes on with the same bits;
 * - leaves no memory behind;
 * - refuses a negative learning rate, an empty tree, and gradients of another tree.
 *
 * An `Optimizer` (one that evaluates the objective itself) descends without ever rising, counts its evaluations, ends with a
 * reason, keeps the last good parameters where the objective is not finite, and has such a state.
 *
 * @param make makes the optimizer with a learning rate; one that has none takes no notice.
 *
 * @example In a test file of your package:
 * ```ts suite
 * import { describeOptimizer } from "@gradus/conformance";
 * import { lion } from "@gradus/optimizers";
 * describeOptimizer("lion", lion);
 * ```
 */
export function describeOptimizer(
  name: string,
  make: (options: { readonly lr: number }) => Rule | Optimizer,
  options: OptimizerSuiteOptions = {},
): void {
  describe(name, () => {
    const { lr = 0.05 } = options;
    if ("step" in make({ lr })) optimizerTests(() => make({ lr }) as Optimizer, options);
    else ruleTests((rate) => make({ lr: rate as number }) as Rule, options);
  });
}
