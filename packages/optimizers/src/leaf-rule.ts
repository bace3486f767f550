import {
  mapTree,
  type Rule,
  type RuleContext,
  type RuleState,
  type Scalar,
  type Schedule,
  scalar,
  type Tensor,
} from "@gradus/core";
import { checkNonNegative, checkSchedule } from "./check-options.js";
import { checkParams, checkUpdate } from "./check-trees.js";
import { scheduleAt } from "./schedule-at.js";

type Kept = Readonly<Record<string, Tensor>>;

/** A rule that treats each parameter by itself, and keeps `Slots` of it. */
export interface LeafRule<Slots> {
  readonly name: string;
  readonly lr: Schedule;
  readonly weightDecay?: number | undefined;
  /** Where the weight decay goes: into the gradient (default), off the parameter times `lr`, or to `at`. */
  readonly decay?: "gradient" | "parameter" | "own";
  readonly maximize?: boolean | undefined;
  /** What is kept of each parameter, and its beginning. */
  readonly slots: { readonly [Slot in keyof Slots]: (param: Tensor) => Slots[Slot] };
  /** What is done to each parameter; what depends on the step alone is computed before, once for all of them. */
  at(
    step: Scalar,
  ): (gradient: Tensor, param: Tensor, slots: Slots) => readonly [update: Tensor, slots: Slots];
  /** Hyper-parameters beside `lr` and `weightDecay`, after `t` updates. */
  readonly hyper: (t: number) => Readonly<Record<string, number>>;
}

export const zeros = (param: Tensor): Tensor => param.zerosLike();

/** A {@link LeafRule} as a {@link Rule} over trees of parameters. */
export function leafRule<Slots>(of: LeafRule<Slots>): Rule {
  const { name, lr, weightDecay = 0, decay = "gradient", maximize = false } = of;
  checkSchedule(name, "lr", lr);
  checkNonNegative(name, { weightDecay });
  const beginnings = Object.entries(of.slots as Readonly<Record<string, (param: Tensor) => Tensor>>);
  const names = beginnings.map(([slot]) => slot);

  return {
    name,

    init<P>(params: P) {
      checkParams(name, params);
      const slots = beginnings.map(([slot, begin]): [string, P] => [slot, mapTree(params, (p) => begin(p))]);
      return { step: scalar(0), slots: Object.fromEntries(slots) };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      const old = checkUpdate(name, grads, state, context, names);
      const shrink = state.step.map((t) => -scheduleAt(lr, t) * weightDecay);
      const treat = of.at(state.step);
      const after: Kept[] = [];
      const updates = mapTree(
        grads,
        (given, p, ...kept) => {
          const g = maximize ? given.neg() : given;
          const penalized = weightDecay !== 0 && decay === "gradient" ? g.add(p.mul(weightDecay)) : g;
          const slots = Object.fromEntries(names.map((slot, i) => [slot, kept[i]])) as Slots;
          const [update, next] = treat(penalized, p, slots);
          after.push(next as Kept);
          return weightDecay !== 0 && decay === "parameter" ? update.add(p.mul(shrink)) : update;
        },
        context.params,
        ...names.map((slot) => old[slot] as P),
      );
      const slots = names.map((slot): [string, P] => {
        let i = 0;
        return [slot, mapTree(grads, () => after[i++]?.[slot] as Tensor)];
      });
      return { updates, state: { step: state.step.map((t) => t + 1), slots: Object.fromEntries(slots) } };
    },

    hyper: ({ step }) => ({ lr: scheduleAt(lr, step.value), ...of.hyper(step.value), weightDecay }),
  };
}
