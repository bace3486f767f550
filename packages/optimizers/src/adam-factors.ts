import type { Scalar, Schedule } from "@gradus/core";
import { decayAt, scheduleAt } from "./schedule-at.js";

/**
 * The host's part of `-lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)`, which is `rate m / (sqrt(v) + epsilon)`:
 * the root of `1 - beta2^t` moves from v to both.
 */
export function adamFactors(
  step: Scalar,
  {
    lr,
    beta1,
    beta2,
    eps,
  }: {
    readonly lr: Schedule;
    readonly beta1: Schedule;
    readonly beta2: number;
    readonly eps: number;
  },
): { readonly rate: Scalar; readonly epsilon: Scalar } {
  const root = (t: number): number => Math.sqrt(1 - beta2 ** (t + 1));
  return {
    rate: step.map((t) => (-scheduleAt(lr, t) * root(t)) / (1 - decayAt(beta1, t) ** (t + 1))),
    epsilon: step.map((t) => eps * root(t)),
  };
}
