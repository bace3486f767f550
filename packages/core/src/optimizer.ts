import type { Key } from "./key.js";
import type { Scalar } from "./scalar.js";
import type { Tensor } from "./tensor.js";
import type { Path } from "./tree.js";

/** A hyper-parameter over time: a number, or a function of the step (0 for the first update), pure and in float64. */
export type Schedule = number | ((step: number) => number);

/**
 * The state of a {@link Rule}: a plain tree, saved as it is.
 *
 * `slots` hold trees of the parameters' structure (moments, averages; a leaf may have another shape than its parameter,
 * as factored moments do). `scalars` are numbers that the host keeps. Wrappers keep the state of what they wrap in
 * `inner`; it may be over another tree (a partition's part).
 */
export interface RuleState<P = unknown> {
  /** The {@link Rule.name} of the rule whose state this is, so that another one can refuse it. */
  readonly rule?: string;
  /** Updates done so far. */
  readonly step: Scalar;
  readonly slots: Readonly<Record<string, P>>;
  readonly scalars?: Readonly<Record<string, Scalar>>;
  readonly inner?: Readonly<Record<string, RuleState>>;
}

/** What an update may use beside the gradients. */
export interface RuleContext<P> {
  readonly params: P;
  /** Randomness of this update, for rules that draw noise. */
  readonly key?: Key;
  /** The loss and its gradients elsewhere, on the same batch: sharpness-aware rules need it. */
  readonly valueAndGrad?: (params: P) => readonly [Tensor, P];
  /** The Hessian-vector product at the parameters, on the same batch. */
  readonly hvp?: (vector: P) => P;
  /** The loss of this step. */
  readonly loss?: Tensor;
  /** What {@link Rule.variant} said of this step; missing where the host does not ask. */
  readonly variant?: string;
}

/**
 * A first-order optimizer: from gradients to updates. Pure, so that it is traced into the training step; all its numbers
 * over time come from `state.step` through `Scalar.map`, on the host.
 *
 * `updates` are what is added to the parameters: `params + updates`.
 */
export interface Rule {
  /** For reports and checkpoints: `adamw`. A state is only accepted by a rule of the same name. */
  readonly name: string;
  init<P>(params: P): RuleState<P>;
  update<P>(
    grads: P,
    state: RuleState<P>,
    context: RuleContext<P>,
  ): { readonly updates: P; readonly state: RuleState<P> };
  /** The parameters to evaluate with, where they are not the ones trained: averages, schedule-free. */
  evalParams?<P>(params: P, state: RuleState<P>): P;
  /** The hyper-parameters in effect, for reports. */
  hyper?<P>(state: RuleState<P>): Readonly<Record<string, number>>;
  /**
   * Which program the next update is, of a few: a rule that does something costly every tenth step names its steps
   * `refresh` and `step`. The host asks before each update and passes the answer on as `context.variant`; as an argument of
   * a compiled step (a string is a constant there) it makes one program of each. A rule must give the same results without
   * it, by computing everything on every step and choosing.
   */
  variant?<P>(state: RuleState<P>): string;
  /** What the loss is to be multiplied by before it is differentiated: the rule divides its gradients by that. */
  lossScale?<P>(state: RuleState<P>): Tensor;
  /** Tells the rule a metric of the run (a validation loss), on the host between steps: plateau schedules need it. */
  observe?<P>(state: RuleState<P>, metric: number): RuleState<P>;
}

/** What a second-order optimizer may ask of the problem, on a batch. Only `value` and `valueAndGrad` must exist. */
export interface Objective<P, Batch = undefined, Aux = undefined> {
  value(params: P, batch: Batch): Tensor;
  valueAndGrad(params: P, batch: Batch): readonly [loss: Tensor, grads: P, aux: Aux];
  /** Hessian times vector. */
  hvp?(params: P, vector: P, batch: Batch): P;
  /** The residuals r of a least-squares problem, `value = sum(r^2) / 2`, with their Jacobian's products. */
  residuals?(
    params: P,
    batch: Batch,
  ): {
    readonly values: Tensor;
    jvp(vector: P): Tensor;
    vjp(cotangent: Tensor): P;
  };
  /** Fisher (or Gauss-Newton) matrix times vector. */
  fisherVp?(params: P, vector: P, batch: Batch): P;
  /** Per-example gradients: each leaf gains a leading axis. */
  perExample?(params: P, batch: Batch): P;
  /** What went in and came back at each use of a weight, as Kronecker factorings need it. */
  layerTaps?(params: P, batch: Batch): readonly LayerTap[];
}

/** One use of a weight in the forward pass; a weight that is used twice has two. */
export interface LayerTap {
  readonly weight: Path;
  readonly bias?: Path;
  /** Whether the weight is [in, out] or [out, in]. */
  readonly layout: "in-out" | "out-in";
  /** [rows, in]; the patches of a convolution are rows. */
  readonly input: Tensor;
  /** [rows, out]: the cotangent of the layer's output, of the loss summed (not averaged) over the examples. */
  readonly cotangent: Tensor;
  readonly examples: number;
}

/** Why an optimizer stopped, or that it has not. */
export type StopReason = "converged" | "line-search-failed" | "max-iterations" | "non-finite";

/**
 * The state of an {@link Optimizer}: like {@link RuleState}, with histories (lists of trees) and with tensors of its own,
 * which may be lists too.
 */
export interface OptimizerState<P = unknown> {
  /** Iterations done so far. */
  readonly step: Scalar;
  readonly slots: Readonly<Record<string, P | readonly P[]>>;
  readonly scalars?: Readonly<Record<string, Scalar>>;
  readonly tensors?: Readonly<Record<string, Tensor | readonly Tensor[]>>;
}

/** How often an {@link Objective} was asked for what. `valueAndGrad` counts once under both. */
export interface Evaluations {
  readonly value: number;
  readonly gradient: number;
  /** Products with the Hessian, a Jacobian or the Fisher matrix, also those that a Hessian was built from. */
  readonly hvp: number;
  /** Whole Hessians, each built from as many products as there are parameters. */
  readonly hessian: number;
}

/** An optimizer that evaluates the objective itself: line searches, quasi-Newton, natural gradient. */
export interface Optimizer {
  readonly name: string;
  init<P>(params: P): OptimizerState<P>;
  step<P, Batch, Aux>(
    objective: Objective<P, Batch, Aux>,
    params: P,
    state: OptimizerState<P>,
    batch: Batch,
  ): MaybePromise<OptimizerStep<P, Aux>>;
}

export interface OptimizerStep<P, Aux = undefined> {
  /** The parameters after the step; if the objective was not finite anywhere on the way, those before it. */
  readonly params: P;
  readonly state: OptimizerState<P>;
  /** The loss at `params`, or the last one known before. */
  readonly loss: number;
  readonly aux: Aux;
  readonly reason?: StopReason;
  readonly evaluations: Evaluations;
}

export type MaybePromise<T> = T | Promise<T>;
