import { hvp, valueAndGrad } from "@gradus/autograd";
import {
  fail,
  formatShape,
  isFloat,
  type Key,
  type Layer,
  mapTree,
  type Rule,
  type RuleState,
  type Scalar,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { applyUpdates } from "@gradus/optimizers";
import { autocast, type Compiled, compile, stack } from "@gradus/tensor";
import { type Data, takeRows } from "./data.js";
import type { Metrics } from "./scores.js";

/** What a step takes over from the step before. Its memory is donated. */
export interface Carried<P, S> {
  readonly params: P;
  readonly state: S;
  readonly optimizer: RuleState<P>;
  /** Whether all updates so far were finite. */
  readonly sound: Tensor;
}

/** The base keys of a run; each step folds its number into them. */
export interface StepKeys {
  readonly layers: Key;
  readonly rule: Key;
}

export type TrainingStep<P, S> = Compiled<
  [
    carried: Carried<P, S>,
    data: Data,
    rows: Tensor,
    keys: StepKeys,
    step: Scalar,
    variant: string | undefined,
  ],
  { readonly carried: Carried<P, S>; readonly report: Tensor }
>;

export interface StepOptions {
  readonly metrics: Metrics;
  /** Whether nothing is accepted after an update that was not finite. */
  readonly sticky: boolean;
  /** Whether the model and the loss run in mixed precision. */
  readonly isMixed: boolean;
}

/** Where a {@link TrainingStep}'s report has what: the scores follow. */
export const REPORT = { accepted: 0, scores: 1 } as const;

/**
 * One update, compiled: forward, backward, rule; one program for each of the rule's variants. Its report is a vector: whether the update was accepted, the loss, the
 * metrics.
 *
 * An update that would make the loss, a parameter or the layers' state NaN or infinite is not accepted: the step then
 * returns what it was given. With `sticky` it accepts nothing from then on, so that a host that finds out a few steps
 * later still has the last good parameters.
 */
export function trainingStep<P, S>(
  model: Layer<P, S>,
  loss: TrainingLoss,
  rule: Rule,
  { metrics, sticky, isMixed }: StepOptions,
): TrainingStep<P, S> {
  const step = (
    carried: Carried<P, S>,
    data: Data,
    rows: Tensor,
    keys: StepKeys,
    at: Scalar,
    variant: string | undefined,
  ) => {
    const { params, state, optimizer, sound } = carried;
    const x = takeRows(data.x, rows);
    const y = takeRows(data.y, rows);
    const context = { train: true, key: keys.layers.foldIn(at) };

    const forward = (p: P) => {
      const [prediction, next] = model.apply(p, state, x, context);
      return [lossOf(loss, prediction, y), { prediction, next }] as const;
    };
    const lossAt = (p: P) => (isMixed ? autocast(() => forward(p)) : forward(p));
    // In mixed precision the rule wants the gradients of a multiple of the loss.
    const scale = rule.lossScale?.(optimizer);
    const scaledLossAt = (p: P) => {
      const [value, rest] = lossAt(p);
      return [scale === undefined ? value : value.mul(scale), { ...rest, value }] as const;
    };
    const [, grads, { value, prediction, next }] = valueAndGrad(scaledLossAt)(params);
    const { updates, state: nextOptimizer } = rule.update(grads, optimizer, {
      params,
      loss: value,
      key: keys.rule.foldIn(at),
      valueAndGrad: (p) => {
        const [otherLoss, otherGrads] = valueAndGrad(lossAt)(p);
        return [otherLoss, otherGrads];
      },
      hvp: (vector) => hvp((p: P) => lossAt(p)[0], params, vector),
      ...(variant !== undefined && { variant }),
    });
    const nextParams = applyUpdates(params, updates);

    const finite = allFinite([value, ...tensorsOf(nextParams), ...tensorsOf(next)]);
    const accepted = sticky ? sound.logicalAnd(finite) : finite;
    const choose = <T>(fresh: T, old: T): T => mapTree(fresh, (a, b) => accepted.where(a, b as Tensor), old);
    return {
      carried: {
        params: choose(nextParams, params),
        state: choose(next, state),
        optimizer: choose(nextOptimizer, optimizer),
        sound: sticky ? accepted : sound,
      },
      report: stack([accepted.cast(value.dtype), ...scoresOf(value, metrics, prediction, y)]),
    };
  };
  return compile(step, { donate: [0] });
}

export type EvaluationStep<P, S> = Compiled<[params: P, state: S, data: Data], Tensor>;

/** The loss and the metrics of a batch, as a vector. */
export function evaluationStep<P, S>(
  model: Layer<P, S>,
  loss: TrainingLoss,
  metrics: Metrics,
): EvaluationStep<P, S> {
  return compile((params: P, state: S, { x, y }: Data) => {
    const [prediction] = model.apply(params, state, x, { train: false });
    return stack(scoresOf(lossOf(loss, prediction, y), metrics, prediction, y));
  });
}

/** A loss as `fit` calls it: with its default options. */
export type TrainingLoss = (prediction: Tensor, target: Tensor) => Tensor;

function lossOf(loss: TrainingLoss, prediction: Tensor, y: Tensor): Tensor {
  const value = loss(prediction, y);
  if (value.size === 1) return value.reshape([]);
  return fail(
    "not-scalar",
    `fit: the loss must be one number, got shape ${formatShape(value.shape)}. Leave its reduction at "mean"`,
  );
}

function scoresOf(loss: Tensor, metrics: Metrics, prediction: Tensor, y: Tensor): Tensor[] {
  const values = Object.entries(metrics).map(([name, metric]) => {
    const value = metric(prediction, y);
    if (value.size === 1) return value.reshape([]).cast(loss.dtype);
    return fail(
      "not-scalar",
      `fit: the metric ${name} must be one number, got shape ${formatShape(value.shape)}`,
    );
  });
  return [loss, ...values];
}

function allFinite(tensors: readonly Tensor[]): Tensor {
  return tensors
    .filter((x) => isFloat(x.dtype))
    .map((x) => x.isFinite().all())
    .reduce((a, b) => a.logicalAnd(b));
}
