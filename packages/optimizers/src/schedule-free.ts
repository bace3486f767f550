import {
  fail,
  mapTree,
  type Rule,
  type RuleState,
  type Scalar,
  type Schedule,
  type Tensor,
} from "@gradus/core";
import { checkCount, checkNonNegative, checkSchedule } from "./check-options.js";
import { checkOwner } from "./check-trees.js";
import { leafRule } from "./leaf-rule.js";
import { scheduleAt } from "./schedule-at.js";
import type { WeightDecay } from "./weight-decay.js";

export interface ScheduleFreeOptions {
  /** The learning rate, or a schedule of it: it is meant to be constant after `warmup`. */
  readonly lr?: Schedule;
  /** Updates in which the learning rate rises evenly from `lr / warmup`. Default 0. */
  readonly warmup?: number;
  /** Where the gradient is taken: 1 at the average, nearly 0 at the plain steps; in (0, 1]. Default 0.9. */
  readonly beta?: number;
  /** Added to the direction, times the parameters. Default 0. */
  readonly weightDecay?: WeightDecay;
  /** How the average weighs step t = 1, 2, ...: `t^r` times a power of the greatest learning rate so far. Default 0. */
  readonly r?: number;
  /** That power. Default 2. */
  readonly weightPower?: number;
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean;
}

/** What the two schedule-free rules share: y (the parameters), z (plain steps) and the weights of the average x. */
export function scheduleFreeRule<Slots>(
  name: string,
  options: ScheduleFreeOptions & { readonly lr: Schedule },
  own: {
    readonly slots: { readonly [Slot in keyof Slots]: (param: Tensor) => Slots[Slot] };
    at(step: Scalar): (gradient: Tensor, slots: Slots) => readonly [direction: Tensor, slots: Slots];
    readonly hyper: Readonly<Record<string, number>>;
  },
): Rule {
  const { lr, warmup = 0, beta = 0.9, weightDecay, r = 0, weightPower = 2, maximize } = options;
  checkSchedule(name, "lr", lr);
  checkCount(name, "warmup", warmup, 0);
  checkNonNegative(name, { r, weightPower });
  if (!(beta > 0 && beta <= 1)) fail("invalid-argument", `${name}: beta must be in (0, 1], got ${beta}`);

  const rate = (t: number): number => scheduleAt(lr, t) * (t < warmup ? (t + 1) / warmup : 1);
  const share = averageShare(rate, r, weightPower);
  type Kept = Slots & { readonly z: Tensor };

  const rule = leafRule<Kept>({
    name,
    lr,
    weightDecay,
    decay: "own",
    maximize,
    // A copy: parameters and state may be given away separately.
    slots: { ...own.slots, z: (p: Tensor) => p.mul(1) } as {
      [Slot in keyof Kept]: (p: Tensor) => Kept[Slot];
    },

    at(step) {
      const directionOf = own.at(step);
      const joining = step.map(share);
      const ofY = step.map((t) => rate(t) * (beta * (1 - share(t)) - 1));
      const down = step.map((t) => -rate(t));
      return (g, y, slots, { weightDecay }) => {
        const [plain, kept] = directionOf(g, slots);
        const direction = weightDecay === 0 ? plain : plain.add(y.mul(weightDecay));
        const update = slots.z.sub(y).mul(joining).add(direction.mul(ofY));
        return [update, { ...kept, z: slots.z.add(direction.mul(down)) }];
      };
    },

    hyper: (t) => ({ lr: rate(t), beta, ...own.hyper }),
  });

  return {
    ...rule,
    /** x of `y = (1 - beta) z + beta x`. */
    evalParams<P>(params: P, state: RuleState<P>): P {
      checkOwner(name, state);
      return mapTree(params, (y, z) => y.sub(z.mul(1 - beta)).div(beta), state.slots.z as P);
    },
  };
}

/**
 * The share of step t in the average of steps 0 to t, whose weights are `(t + 1)^r max(rates so far)^power`. The sums are
 * kept, so that the steps of a run cost one addition each.
 */
function averageShare(rate: (t: number) => number, r: number, power: number): (t: number) => number {
  let known = 0;
  let [greatest, weight, sum] = [0, 0, 0];
  return (t) => {
    if (t + 1 < known) [known, greatest, weight, sum] = [0, 0, 0, 0];
    for (; known <= t; known++) {
      greatest = Math.max(greatest, rate(known));
      weight = (known + 1) ** r * greatest ** power;
      sum += weight;
    }
    return sum === 0 ? 0 : weight / sum;
  };
}
