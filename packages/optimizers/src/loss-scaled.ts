import {
  computeDType,
  fail,
  mapTree,
  type Rule,
  type RuleContext,
  type RuleState,
  type Shape,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { checkUpdate } from "./check-trees.js";
import { innerState } from "./inner-state.js";
import { wrapRule } from "./wrap-rule.js";

export interface LossScaleOptions {
  /** The first scale. Default 65536. */
  readonly initial?: number;
  /** What the scale is multiplied by after `interval` sound steps in a row. Default 2. */
  readonly growth?: number;
  /** What it is multiplied by when a gradient is not finite. Default 0.5. */
  readonly backoff?: number;
  /** Default 2000. */
  readonly interval?: number;
}

/**
 * A rule for training in mixed precision: it takes gradients of the loss times `lossScale(state)`, so that small ones do not
 * vanish in float16, and divides them again. `fit` multiplies the loss by itself.
 *
 * If a gradient is NaN or infinite, the update is zero, moments stay as they were, and the scale shrinks; after `interval` sound
 * steps in a row it grows. All of that happens on the device, without a look at it. The step counts all the same, since
 * schedules are the host's. State: the scale and the count of sound steps, the same for each parameter.
 *
 * @throws `invalid-argument` for options out of range; `update` throws as the rule's own.
 *
 * Source: PyTorch's `torch.cuda.amp.GradScaler`.
 *
 * @example
 * ```ts
 * import { grad } from "@gradus/autograd";
 * import { lossScaled, sgd } from "@gradus/optimizers";
 * import { tensor, type Tensor } from "@gradus/tensor";
 * const rule = lossScaled(sgd({ lr: 0.1 }), { initial: 1024 });
 * const params = { w: tensor([1, 2]) };
 * const state = rule.init(params);
 * const loss = (p: { w: Tensor }) => p.w.square().sum().mul(rule.lossScale(state));
 * const { updates } = rule.update(grad(loss)(params), state, { params });
 * console.log(updates.w); // → Tensor f32[2] [-0.2, -0.4]
 * ```
 */
export function lossScaled(
  rule: Rule,
  options: LossScaleOptions = {},
): Rule & Required<Pick<Rule, "lossScale">> {
  const { initial = 65536, growth = 2, backoff = 0.5, interval = 2000 } = options;
  const expect = (holds: boolean, what: string, got: unknown): void => {
    if (!holds) fail("invalid-argument", `lossScaled: ${what}, got ${String(got)}`);
  };
  expect(Number.isFinite(initial) && initial > 0, "initial must be a positive number", initial);
  expect(Number.isFinite(growth) && growth >= 1, "growth must be at least 1", growth);
  expect(backoff > 0 && backoff < 1, "backoff must be between 0 and 1", backoff);
  expect(
    Number.isInteger(interval) && interval >= 1,
    "interval must be a whole number of at least 1",
    interval,
  );
  const wrapped = wrapRule("lossScaled", rule);
  const { name } = wrapped;
  const none = (): Shape => [];
  return {
    ...wrapped,

    init<P>(params: P): RuleState<P> {
      const inner = rule.init(params);
      const each = (value: number): P =>
        mapTree(params, (p) => {
          // A scale is more than f16 holds.
          const dtype = computeDType(p.dtype);
          return p.engine.full([], value, { dtype, device: p.device });
        });
      const slots = { lossScale: each(initial), soundSteps: each(0) };
      return { rule: name, step: inner.step, slots, inner: { rule: inner } };
    },

    lossScale<P>(state: RuleState<P>): Tensor {
      innerState(name, state);
      return tensorsOf(state.slots.lossScale)[0] as Tensor;
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const before = innerState(name, state);
      const shapes = { lossScale: none, soundSteps: none };
      const slots = checkUpdate(name, grads, state, context, ["lossScale", "soundSteps"], shapes);
      const sound = tensorsOf(grads)
        .map((g) => g.isFinite().all())
        .reduce((a, b) => a.logicalAnd(b));
      const unscaled = mapTree(grads, (g, scale) => g.div(scale as Tensor).cast(g.dtype), slots.lossScale);
      const next = rule.update(unscaled, before, context);
      const counts = mapTree(slots.soundSteps, (count) => count.add(1));
      const grown = (scale: Tensor, count: Tensor): Tensor => {
        const larger = scale.mul(growth);
        return count.ge(interval).logicalAnd(larger.isFinite()).where(larger, scale);
      };
      return {
        updates: mapTree(next.updates, (update) => sound.where(update, update.zerosLike())),
        state: {
          ...state,
          step: state.step.map((t) => t + 1),
          slots: {
            lossScale: mapTree(
              slots.lossScale,
              (scale, count) => sound.where(grown(scale, count as Tensor), scale.mul(backoff)),
              counts,
            ),
            soundSteps: mapTree(counts, (count) =>
              sound.logicalAnd(count.lt(interval)).where(count, count.zerosLike()),
            ),
          },
          inner: { rule: mapTree(next.state, (a, b) => sound.where(a, b as Tensor), before) },
        },
      };
    },
  };
}
