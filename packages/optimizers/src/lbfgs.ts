import {
  fail,
  type Objective,
  type Optimizer,
  type OptimizerState,
  type OptimizerStep,
  type StopReason,
  type Tensor,
} from "@gradus/core";
import { checkCount, checkNonNegative } from "./check-options.js";
import { FlatLayout } from "./problem/flat-layout.js";
import { KnownPoints } from "./problem/known-points.js";
import { firstState, type Keeps, type Memory, nextState, readState } from "./problem/memory.js";
import { inner, isFinitePoint, type Point, Problem } from "./problem/problem.js";
import { complete, type Reading, readAll, releaseExcept } from "./problem/reading.js";
import { searchLine } from "./problem/search-line.js";

export interface LbfgsOptions {
  /** The step length without a line search, and the first one tried with it. Default 1. */
  readonly lr?: number;
  /** `"strong-wolfe"`, or `"none"`: every step has the length `lr`. Default `"strong-wolfe"` (PyTorch's is none). */
  readonly lineSearch?: "strong-wolfe" | "none";
  /** How many past steps the curvature is estimated from. Default 100. */
  readonly history?: number;
  /** Iterations of one `step`. Default 20. */
  readonly iterationsPerStep?: number;
  /** Evaluations of one `step`, not counting what a line search in progress still needs. Default 1.25 iterationsPerStep. */
  readonly evaluationsPerStep?: number;
  /** Iterations in all. Default: without end. */
  readonly maxIterations?: number;
  /** Converged when no element of the gradient is greater. Default 1e-7. */
  readonly gradientTolerance?: number;
  /** Converged when no parameter, or not the loss, changes by more in an iteration. Default 1e-9. */
  readonly changeTolerance?: number;
}

/**
 * The last step length; the inverse Hessian before corrections, as a multiple of the identity; past steps and the changes
 * of the gradient over them, oldest first.
 */
const keeps = {
  scalars: { rate: 1, scale: 1 },
  tensors: { direction: "vector", previousGradient: "vector", steps: "list", changes: "list" },
} as const satisfies Keeps;

type LbfgsMemory = Memory<typeof keeps>;

/**
 * L-BFGS: Newton's method with an inverse Hessian that is estimated from the last steps and never formed. PyTorch's
 * algorithm, with its line search.
 *
 * One `step` is up to `iterationsPerStep` iterations on one batch, as in PyTorch, whose `max_iter` it is; and what its
 * `max_eval` counts is `evaluationsPerStep`. Each step begins with an evaluation, unless it goes on where the last one
 * ended: with its parameters and state, the same objective and the same batch.
 *
 * - **When**: the first choice for smooth problems without noise: logistic regression, fits, physics-informed networks, full
 *   batches. With batches that change, a step's curvature is that of other data: give it large ones.
 * - **Memory**: `2 history + 3` vectors of the parameters' size.
 * - **Evaluations**: about 1.2 of value and gradient an iteration; no Hessian.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`; a step that used up its iterations or
 * evaluations ends without a reason.
 *
 * @throws `invalid-argument` for options out of range and an empty parameter tree; `step` throws `tree-mismatch` or
 * `shape-mismatch` for a state of something else.
 *
 * Source: PyTorch's `optim.LBFGS`; Liu and Nocedal, "On the Limited Memory BFGS Method for Large Scale Optimization", 1989.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { lbfgs } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((p: { x: Tensor }) => p.x.sub(3).square().mul(tensor([1, 100])).sum());
 * const optimizer = lbfgs();
 * const start = { x: tensor([0, 10]) };
 * const { params, reason, evaluations } = await optimizer.step(f, start, optimizer.init(start), undefined);
 * console.log(params.x, reason); // → Tensor f32[2] [3, 3] converged
 * console.log(evaluations.gradient < 10); // → true
 * ```
 */
export function lbfgs(options: LbfgsOptions = {}): Optimizer {
  const {
    lr = 1,
    lineSearch = "strong-wolfe",
    history = 100,
    iterationsPerStep = 20,
    evaluationsPerStep = Math.floor((iterationsPerStep * 5) / 4),
    maxIterations = Infinity,
    gradientTolerance = 1e-7,
    changeTolerance = 1e-9,
  } = options;
  const name = "lbfgs";
  checkNonNegative(name, { lr, gradientTolerance, changeTolerance });
  checkCount(name, "history", history);
  checkCount(name, "iterationsPerStep", iterationsPerStep);
  checkCount(name, "evaluationsPerStep", evaluationsPerStep);
  if (maxIterations !== Infinity) checkCount(name, "maxIterations", maxIterations);
  if (lineSearch !== "strong-wolfe" && lineSearch !== "none") {
    fail(
      "invalid-argument",
      `lbfgs: lineSearch must be "strong-wolfe" or "none", got ${JSON.stringify(lineSearch)}`,
    );
  }
  const known = new KnownPoints();

  function* stepOf<P, Batch, Aux>(
    objective: Objective<P, Batch, Aux>,
    params: P,
    state: OptimizerState<P>,
    batch: Batch,
    layout: FlatLayout<P>,
  ): Reading<OptimizerStep<P, Aux>> {
    const problem = new Problem(name, objective, layout, batch);
    const { memory: kept, found } = readState(name, keeps, layout, state);
    const x = layout.flatten(params);
    const before = known.find(state, objective, params, batch);
    const start = before === undefined ? yield* problem.at(x) : { x, value: found.loss, ...found, ...before };
    const evaluations = () => problem.evaluations;
    if (!isFinitePoint(start)) {
      const { value, aux } = start;
      return { params, state, loss: value, aux, reason: "non-finite", evaluations: evaluations() };
    }
    let memory: LbfgsMemory = kept;
    let point: Point<Aux> = start;
    /** Whether the objective was asked at the point: without a line search, not after the last iteration. */
    let asked = true;
    let iterations = state.step.value;
    let reason: StopReason | undefined = start.steepness <= gradientTolerance ? "converged" : undefined;
    const last = iterations + iterationsPerStep;
    let spent = 1;
    while (reason === undefined && iterations < last && iterations < maxIterations) {
      iterations++;
      memory = prepare(
        layout,
        memory,
        point,
        iterations,
        yield* curvatureOf(layout, memory, point, iterations),
      );
      const { direction } = memory.tensors;
      const [slope, length, absolute] = yield* readAll(
        layout.engine.scope(
          () =>
            [inner(point.gradient, direction), direction.abs().max(), point.gradient.abs().sum()] as const,
        ),
      );
      if (!(slope <= -changeTolerance)) {
        reason = "converged";
        break;
      }
      const first = iterations === 1 ? Math.min(1, 1 / absolute) * lr : lr;
      const from = point;
      let rate = first;
      if (lineSearch === "strong-wolfe") {
        const before = problem.evaluations.value;
        const searched = yield* searchLine(
          problem,
          from,
          { vector: direction, slope, length },
          first,
          "strong-wolfe",
          {
            toleranceChange: changeTolerance,
          },
        );
        spent += problem.evaluations.value - before;
        rate = searched.step;
        point = searched.point;
        reason = searched.reason;
      } else {
        const moved = layout.engine.scope(() => from.x.add(direction.mul(first)));
        const ends = iterations === last || iterations === maxIterations;
        if (ends) {
          point = { ...from, x: moved };
          asked = false;
        } else {
          const next = yield* problem.at(moved);
          spent++;
          if (isFinitePoint(next)) {
            point = next;
          } else {
            rate = 0;
            reason = "non-finite";
          }
        }
      }
      memory = { ...memory, scalars: { ...memory.scalars, rate } };
      if (reason === undefined && iterations < last && spent < evaluationsPerStep) {
        const still =
          point.steepness > gradientTolerance &&
          length * rate > changeTolerance &&
          Math.abs(point.value - from.value) >= changeTolerance;
        if (!still) reason = "converged";
      } else if (reason === undefined && asked && point.steepness <= gradientTolerance) {
        reason = "converged";
      }
      yield* releaseExcept([point.x, point.gradient, start.x, memory.tensors]);
      if (spent >= evaluationsPerStep) break;
    }
    if (reason === undefined && iterations >= maxIterations) reason = "max-iterations";
    const end = nextState<P>(iterations, memory, { loss: point.value, ...point });
    const moved = point === start ? params : layout.unflattenCopy(point.x);
    if (asked) known.note(end, { objective, params: moved, batch }, point.aux);
    return {
      params: moved,
      state: end,
      loss: point.value,
      aux: point.aux,
      ...(reason !== undefined && { reason }),
      evaluations: evaluations(),
    };
  }

  /** How the gradient changed over the last step, where that says something about curvature. */
  function* curvatureOf<P>(
    { engine }: FlatLayout<P>,
    { scalars, tensors }: LbfgsMemory,
    point: Point,
    iteration: number,
  ): Reading<Curvature | undefined> {
    if (iteration === 1) return undefined;
    const { step, change, numbers } = engine.scope(() => {
      const step = tensors.direction.mul(scalars.rate);
      const change = point.gradient.sub(tensors.previousGradient);
      return { step, change, numbers: [inner(change, step), inner(change, change)] as const };
    });
    const [along, square] = yield* readAll(numbers);
    return along > 1e-10 ? { step, change, scale: along / square } : undefined;
  }

  /** The memory with that change taken up, and the next direction. */
  function prepare<P>(
    { engine }: FlatLayout<P>,
    { scalars, tensors }: LbfgsMemory,
    point: Point,
    iteration: number,
    curvature: Curvature | undefined,
  ): LbfgsMemory {
    const first = iteration === 1;
    const taken = (list: readonly Tensor[], next: Tensor | undefined): readonly Tensor[] =>
      first ? [] : next === undefined ? list : [...list, next].slice(-history);
    const steps = taken(tensors.steps, curvature?.step);
    const changes = taken(tensors.changes, curvature?.change);
    const scale = first ? 1 : (curvature?.scale ?? scalars.scale);
    const direction = engine.scope(() => inverseHessianTimes(point.gradient.neg(), steps, changes, scale));
    return {
      scalars: { ...scalars, scale },
      tensors: { direction, previousGradient: point.gradient, steps, changes },
    };
  }

  return {
    name,
    init: (params) => firstState(keeps, new FlatLayout(name, params)),
    step(objective, params, state, batch) {
      const layout = new FlatLayout(name, params);
      return complete(layout.engine, stepOf(objective, params, state, batch, layout));
    },
  };
}

interface Curvature {
  readonly step: Tensor;
  readonly change: Tensor;
  readonly scale: number;
}

/**
 * The estimated inverse Hessian times a vector (the two loops of Nocedal). Its numbers stay on the device: nothing is
 * read.
 */
export function inverseHessianTimes(
  vector: Tensor,
  steps: readonly Tensor[],
  changes: readonly Tensor[],
  scale: number,
): Tensor {
  const rhos = steps.map((step, i) => inner(changes[i] as Tensor, step).reciprocal());
  const alphas: Tensor[] = [];
  let q = vector;
  for (let i = steps.length - 1; i >= 0; i--) {
    const alpha = inner(steps[i] as Tensor, q).mul(rhos[i] as Tensor);
    alphas[i] = alpha;
    q = q.sub((changes[i] as Tensor).mul(alpha));
  }
  let r = q.mul(scale);
  steps.forEach((step, i) => {
    const beta = inner(changes[i] as Tensor, r).mul(rhos[i] as Tensor);
    r = r.add(step.mul((alphas[i] as Tensor).sub(beta)));
  });
  return r;
}
