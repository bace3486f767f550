import {
  checkSameStructure,
  fail,
  mapTree,
  type Rule,
  type RuleContext,
  type RuleState,
  type Schedule,
  scalar,
  tensorsOf,
} from "@gradus/core";

export interface AdanOptions {
  /** The learning rate, or a schedule of it. Default 1e-3. */
  readonly lr?: Schedule;
  /** What joins the mean of the gradients, of their differences, and of the squares, each in (0, 1]. Default 0.02, 0.08, 0.01. */
  readonly betas?: readonly [number, number, number];
  /** Added to the denominator, after the root. Default 1e-8. */
  readonly eps?: number;
  /** How strongly parameters are drawn to 0. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Adan: Adam with Nesterov's momentum, written in differences of gradients d (0 at the first step):
 *
 * ```text
 * m = (1 - b1) m + b1 g                       (m = g at the first step)
 * v = (1 - b2) v + b2 d
 * n = (1 - b3) n + b3 (g + (1 - b2) d)^2      (n = g^2 at the first step)
 * p = (p - lr (m + (1 - b2) v) / (sqrt(n) + eps)) / (1 + lr weightDecay)
 * ```
 *
 * Source: Xie et al., "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models", 2022.
 */
export function adan(options: AdanOptions = {}): Rule {
  const { lr = 1e-3, betas = [0.02, 0.08, 0.01], eps = 1e-8, weightDecay = 0 } = options;
  const [b1, b2, b3] = betas;
  const rateAt = typeof lr === "function" ? lr : () => lr;
  if (typeof lr === "number" && !(lr >= 0))
    fail("invalid-argument", `adan: lr must be at least 0, got ${lr}`);
  if (!betas.every((beta) => beta > 0 && beta <= 1)) {
    fail("invalid-argument", `adan: betas must be in (0, 1], got ${betas.join(", ")}`);
  }

  return {
    name: "adan",

    init<P>(params: P): RuleState<P> {
      if (tensorsOf(params).length === 0) fail("invalid-argument", "adan: the parameter tree is empty");
      const zeros = (): P => mapTree(params, (p) => p.zerosLike());
      const slots = { gradient: zeros(), mean: zeros(), change: zeros(), square: zeros() };
      return { rule: "adan", step: scalar(0), slots };
    },

    update<P>(grads: P, state: RuleState<P>, { params }: RuleContext<P>) {
      checkSameStructure(params, grads, "adan: the gradients");
      const slots = state.slots as Readonly<Record<"gradient" | "mean" | "change" | "square", P>>;
      // Numbers of the step: computed on the host, handed to kernels, no reason to compile again.
      const later = state.step.map((t) => (t === 0 ? 0 : 1));
      const [joins1, joins3] = [b1, b3].map((b) => state.step.map((t) => (t === 0 ? 1 : b)));
      const [keeps1, keeps3] = [b1, b3].map((b) => state.step.map((t) => (t === 0 ? 0 : 1 - b)));
      const rate = state.step.map((t) => -rateAt(t));
      const shrink = state.step.map((t) => 1 / (1 + rateAt(t) * weightDecay));

      const d = mapTree(grads, (g, before) => g.sub(before).mul(later), slots.gradient);
      const mean = mapTree(
        slots.mean,
        (m, g) => m.mul(keeps1 as typeof rate).add(g.mul(joins1 as typeof rate)),
        grads,
      );
      const change = mapTree(slots.change, (v, x) => v.mul(1 - b2).add(x.mul(b2)), d);
      const square = mapTree(
        slots.square,
        (n, g, x) => {
          const ahead = g.add(x.mul(1 - b2)).square();
          return n.mul(keeps3 as typeof rate).add(ahead.mul(joins3 as typeof rate));
        },
        grads,
        d,
      );
      const updates = mapTree(
        params,
        (p, m, v, n) => {
          const direction = m.add(v.mul(1 - b2)).div(n.sqrt().add(eps));
          return p.add(direction.mul(rate)).mul(shrink).sub(p);
        },
        mean,
        change,
        square,
      );
      // A copy of the gradient: the state must not share memory with what it was given.
      const gradient = mapTree(grads, (g) => g.mul(1));
      const step = state.step.map((t) => t + 1);
      return { updates, state: { rule: "adan", step, slots: { gradient, mean, change, square } } };
    },

    hyper: ({ step }) => ({ lr: rateAt(step.value), eps, weightDecay }),
  };
}
