import { fail, formatPath, formatShape, type Rule, type Schedule } from "@gradus/core";
import { asMatrix } from "./as-matrix.js";
import { checkCount, checkDecay, checkNonNegative } from "./check-options.js";
import { leafRule, zeros } from "./leaf-rule.js";
import { movingAverage } from "./moving-average.js";
import { newtonSchulz } from "./newton-schulz.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface MuonOptions {
  /** The learning rate, or a schedule of it. Default 1e-3. */
  readonly lr?: Schedule;
  /** How much of the last momentum is kept, in [0, 1). Default 0.95. */
  readonly momentum?: number;
  /** Look ahead along the momentum (Nesterov). Default true. */
  readonly nesterov?: boolean;
  /** The share of each parameter that is taken off per step, times the learning rate. Default 0.1. */
  readonly weightDecay?: WeightDecay;
  /** The coefficients of the orthogonalisation. Default 3.4445, -4.7750, 2.0315. */
  readonly coefficients?: readonly [a: number, b: number, c: number];
  /** Steps of the orthogonalisation. Default 5. */
  readonly steps?: number;
  /** The least norm that is divided by. Default 1e-7. */
  readonly eps?: number;
  /**
   * How the learning rate is fitted to a matrix of `rows` and `columns`: `original`: times `sqrt(max(1, rows / columns))`;
   * `adamw`: times `0.2 sqrt(max(rows, columns))`, so that learning rates of AdamW serve. Default `original`.
   */
  readonly fit?: "original" | "adamw";
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/**
 * Muon: steps along the orthogonalised momentum, so that all directions of a matrix move alike. For matrices of hidden
 * layers; embeddings, outputs, biases and scales belong to another rule: use `partition`.
 *
 * ```text
 * m = momentum m + (1 - momentum) g
 * u = nesterov ? momentum m + (1 - momentum) g : m
 * p = p - lr weightDecay p - lr fit U V^T                (u = U S V^T; see newtonSchulz)
 * ```
 *
 * A parameter of more than two axes, a convolution's weight, counts as a matrix of its first axis and all others.
 *
 * @throws `shape-mismatch` for a parameter of less than two axes, naming its path; `invalid-argument` for a negative `lr`,
 * `eps` or `weightDecay`, a `momentum` outside of [0, 1), and an empty parameter tree; `update` throws `tree-mismatch` or
 * `shape-mismatch`.
 *
 * Source: PyTorch's `optim.Muon` (`adjust_lr_fn` is `fit` here, and `match_rms_adamw` is `adamw`), which computes in
 * bfloat16 where this keeps the parameter's dtype; Jordan et al., "Muon: An optimizer for hidden layers in neural
 * networks", 2024.
 *
 * @example
 * ```ts
 * import { adamw, muon, partition } from "@gradus/optimizers";
 * import { ones, zeros } from "@gradus/tensor";
 * const params = { hidden: ones([4, 3]), bias: zeros([4]) };
 * const rule = partition({ matrices: muon({ lr: 0.02 }), others: adamw() }, ([name]) =>
 *   name === "hidden" ? "matrices" : "others",
 * );
 * console.log(rule.name); // → partition(matrices: muon, others: adamw)
 * console.log(rule.init(params).inner?.matrices?.slots.momentum !== undefined); // → true
 * ```
 */
export function muon(options: MuonOptions = {}): Rule {
  const { lr = 1e-3, momentum = 0.95, nesterov = true, weightDecay = 0.1, maximize } = options;
  const { coefficients = [3.4445, -4.775, 2.0315], steps = 5, eps = 1e-7, fit = "original" } = options;
  checkDecay("muon", { momentum });
  checkNonNegative("muon", { eps });
  checkCount("muon", "steps", steps, 0);
  if (coefficients.length !== 3 || !coefficients.every(Number.isFinite)) {
    fail("invalid-argument", `muon: coefficients must be three numbers, got ${coefficients.join(", ")}`);
  }
  if (fit !== "original" && fit !== "adamw") {
    fail("invalid-argument", `muon: fit must be original or adamw, got ${String(fit)}`);
  }

  return leafRule({
    name: "muon",
    lr,
    weightDecay,
    decay: "parameter",
    maximize,
    slots: { momentum: zeros },

    checkParam(path, { shape }) {
      if (shape.length >= 2) return;
      fail(
        "shape-mismatch",
        `muon: parameter ${formatPath(path)} has shape ${formatShape(shape)}, and muon is for matrices. ` +
          "Give it another rule in partition()",
      );
    },

    at(step) {
      const down = step.map((t) => -scheduleAt(lr, t));
      return (g, p, slots) => {
        const kept = movingAverage(slots.momentum, g, momentum);
        const ahead = nesterov ? movingAverage(kept, g, momentum) : kept;
        const [rows, columns] = asMatrix(p.shape);
        const direction = newtonSchulz(ahead.reshape([rows, columns]), { coefficients, steps, eps });
        const factor =
          fit === "original"
            ? Math.sqrt(Math.max(1, rows / columns))
            : 0.2 * Math.sqrt(Math.max(rows, columns));
        return [direction.reshape(p.shape).mul(factor).mul(down), { momentum: kept }];
      };
    },

    hyper: () => ({ momentum }),
  });
}
