import {
  mapTree,
  mapTreeWithPath,
  type Path,
  type Rule,
  type RuleContext,
  type RuleState,
  type Scalar,
  type Schedule,
  type Shape,
  scalar,
  type Tensor,
} from "@gradus/core";
import { checkSchedule } from "./check-options.js";
import { checkOwner, checkParams, checkUpdate } from "./check-trees.js";
import { scheduleAt } from "./schedule-at.js";
import { phaseOf } from "./variant.js";
import { checkWeightDecay, reportDecay, type WeightDecay, weightDecayAt } from "./weight-decay.js";

type Kept = Readonly<Record<string, Tensor>>;

/** What {@link LeafRule.at} is told of a step. */
export interface LeafStep {
  /** The name of the step's program, where there are several and the host has said which (see `Rule.variant`). */
  readonly phase: string | undefined;
}

/** What the treatment of a parameter is told beside its tensors. */
export interface LeafInfo {
  readonly weightDecay: number;
  /** The parameter's part of {@link LeafRule.along}. */
  readonly along: Tensor | undefined;
}

/** A rule that treats each parameter by itself, and keeps `Slots` of it. */
export interface LeafRule<Slots> {
  readonly name: string;
  readonly lr: Schedule;
  readonly weightDecay?: WeightDecay | undefined;
  /** Where the weight decay goes: into the gradient (default), off the parameter times `lr`, or to `at`. */
  readonly decay?: "gradient" | "parameter" | "own";
  readonly maximize?: boolean | undefined;
  /** What is kept of each parameter, and its beginning. */
  readonly slots: { readonly [Slot in keyof Slots]: (param: Tensor) => Slots[Slot] };
  /** The shapes of slots that do not have their parameter's. */
  readonly shapes?: { readonly [Slot in keyof Slots]?: (shape: Shape) => Shape };
  /** Throws for parameters that the rule cannot treat. */
  readonly checkParam?: (path: Path, param: Tensor) => void;
  /** A tree beside the gradients, computed of the whole: a curvature. */
  readonly along?: <P>(grads: P, context: RuleContext<P>, phase: string | undefined) => P | undefined;
  /** What is done to each parameter; what depends on the step alone is computed before, once for all of them. */
  at(
    step: Scalar,
    info: LeafStep,
  ): (
    gradient: Tensor,
    param: Tensor,
    slots: Slots,
    info: LeafInfo,
  ) => readonly [update: Tensor, slots: Slots];
  /** Hyper-parameters beside `lr` and `weightDecay`, after `t` updates. */
  readonly hyper: (t: number) => Readonly<Record<string, number>>;
  /** See `Rule.variant`. */
  readonly variant?: (t: number) => string;
}

export const zeros = (param: Tensor): Tensor => param.zerosLike();

/** A {@link LeafRule} as a {@link Rule} over trees of parameters. */
export function leafRule<Slots>(of: LeafRule<Slots>): Rule {
  const { name, lr, weightDecay = 0, decay = "gradient", maximize = false, variant } = of;
  checkSchedule(name, "lr", lr);
  checkWeightDecay(name, weightDecay);
  const beginnings = Object.entries(of.slots as Readonly<Record<string, (param: Tensor) => Tensor>>);
  const names = beginnings.map(([slot]) => slot);
  const shapes = of.shapes as Readonly<Record<string, (shape: Shape) => Shape>> | undefined;

  return {
    name,

    init<P>(params: P) {
      checkParams(name, params, of.checkParam);
      const slots = beginnings.map(([slot, begin]): [string, P] => [slot, mapTree(params, (p) => begin(p))]);
      return { rule: name, step: scalar(0), slots: Object.fromEntries(slots) };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      checkOwner(name, state);
      const old = checkUpdate(name, grads, state, context, names, shapes);
      const phase = phaseOf(variant, state, context);
      const along = of.along?.(grads, context, phase);
      const treat = of.at(state.step, { phase });
      const shrink = shrinking(state.step, lr);
      const after: Kept[] = [];
      const updates = mapTreeWithPath(
        grads,
        (path, given, p, ...others) => {
          const g = maximize ? given.neg() : given;
          const own = weightDecayAt(name, weightDecay, path, p);
          const penalized = own !== 0 && decay === "gradient" ? g.add(p.mul(own)) : g;
          const slots = Object.fromEntries(names.map((slot, i) => [slot, others[i]])) as Slots;
          const info = { weightDecay: own, along: others[names.length] };
          const [update, next] = treat(penalized, p, slots, info);
          after.push(next as Kept);
          return own !== 0 && decay === "parameter" ? update.add(p.mul(shrink(own))) : update;
        },
        context.params,
        ...names.map((slot) => old[slot] as P),
        ...(along === undefined ? [] : [along]),
      );
      const slots = names.map((slot): [string, P] => {
        let i = 0;
        return [slot, mapTree(grads, () => after[i++]?.[slot] as Tensor)];
      });
      const step = state.step.map((t) => t + 1);
      return { updates, state: { rule: name, step, slots: Object.fromEntries(slots) } };
    },

    hyper: ({ step }) => ({
      lr: scheduleAt(lr, step.value),
      ...of.hyper(step.value),
      ...reportDecay(weightDecay),
    }),

    ...(variant !== undefined && { variant: ({ step }) => variant(step.value) }),
  };
}

/** `-lr weightDecay` of the step, one run-time number for each decay. */
function shrinking(step: Scalar, lr: Schedule): (weightDecay: number) => Scalar {
  const known = new Map<number, Scalar>();
  return (weightDecay) => {
    const factor = known.get(weightDecay) ?? step.map((t) => -scheduleAt(lr, t) * weightDecay);
    known.set(weightDecay, factor);
    return factor;
  };
}
