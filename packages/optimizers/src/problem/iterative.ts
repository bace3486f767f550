import type { Optimizer, OptimizerState, OptimizerStep, StopReason } from "@gradus/core";
import { checkCount, checkNonNegative } from "../check-options.js";
import { FlatLayout } from "./flat-layout.js";
import { KnownPoints } from "./known-points.js";
import { firstState, type Keeps, type Memory, nextState, readState } from "./memory.js";
import { isFinitePoint, type Point, Problem } from "./problem.js";
import { complete, type Reading } from "./reading.js";

/** When a method stops; options of all methods. */
export interface StoppingOptions {
  /** Converged when no element of the gradient is greater. Default 1e-5. */
  readonly gradientTolerance?: number;
  /** Default 1000. */
  readonly maxIterations?: number;
}

/** What an iteration leads to. With a reason, the method goes no further. */
export interface Iterated<Aux, K extends Keeps> {
  readonly point: Point<Aux>;
  readonly memory: Memory<K>;
  readonly reason?: StopReason | undefined;
}

/** A method that goes from point to point, one iteration a step. */
export interface Method<K extends Keeps> {
  readonly name: string;
  readonly stopping: StoppingOptions;
  readonly keeps: K;
  /** From a point with a finite value and gradient, which is not converged. */
  iterate<P, Batch, Aux>(
    problem: Problem<P, Batch, Aux>,
    point: Point<Aux>,
    memory: Memory<K>,
  ): Reading<Iterated<Aux, K>>;
  /** How far a point is from stationary; by default the greatest element of its gradient. */
  steepness?(layout: FlatLayout<unknown>, point: Point): Reading<number>;
}

/** The optimizer of a method: its state, its reasons to stop, and nothing asked twice. */
export function iterative<const K extends Keeps>(method: Method<K>): Optimizer {
  const { name, keeps } = method;
  const { gradientTolerance = 1e-5, maxIterations = 1000 } = method.stopping;
  checkNonNegative(name, { gradientTolerance });
  checkCount(name, "maxIterations", maxIterations);
  const known = new KnownPoints();

  function* stepOf<P, Batch, Aux>(
    problem: Problem<P, Batch, Aux>,
    params: P,
    state: OptimizerState<P>,
  ): Reading<OptimizerStep<P, Aux>> {
    const { layout, objective, batch } = problem;
    const { memory, found } = readState(name, keeps, layout, state);
    const x = layout.flatten(params);
    const before = known.find(state, objective, params, batch);
    const start = before === undefined ? yield* problem.at(x) : { x, value: found.loss, ...found, ...before };

    const ended = (at: Point<Aux>, kept: Memory<K>, steps: number, reason?: StopReason) => {
      const moved = at === start ? params : layout.unflattenCopy(at.x);
      const next = nextState<P>(state.step.value + steps, kept, { loss: at.value, ...at });
      known.note(next, { objective, params: moved, batch }, at.aux);
      return step(at, moved, next, reason);
    };
    const step = (at: Point<Aux>, to: P, next: OptimizerState<P>, reason?: StopReason) => ({
      params: to,
      state: next,
      loss: at.value,
      aux: at.aux,
      ...(reason !== undefined && { reason }),
      evaluations: problem.evaluations,
    });

    // Nothing of a point that is not finite may enter the state.
    if (!isFinitePoint(start)) return step(start, params, state, "non-finite");
    if ((yield* steepnessOf(layout, start)) <= gradientTolerance) return ended(start, memory, 0, "converged");
    const { point, memory: kept, reason } = yield* method.iterate(problem, start, memory);
    if (point !== start) {
      const gained = start.value - point.value;
      const rounding = 2 * layout.epsilon * Math.abs(point.value);
      if (gained <= rounding || (yield* steepnessOf(layout, point)) <= gradientTolerance) {
        return ended(point, kept, 1, "converged");
      }
    }
    const last = state.step.value + 1 >= maxIterations;
    return ended(point, kept, 1, reason ?? (last ? "max-iterations" : undefined));
  }

  function* steepnessOf<P>(layout: FlatLayout<P>, point: Point): Reading<number> {
    if (method.steepness === undefined) return point.steepness;
    return yield* method.steepness(layout as FlatLayout<unknown>, point);
  }

  return {
    name,
    init: (params) => firstState(keeps, new FlatLayout(name, params)),
    step(objective, params, state, batch) {
      const layout = new FlatLayout(name, params);
      const problem = new Problem(name, objective, layout, batch);
      return complete(layout.engine, stepOf(problem, params, state));
    },
  };
}
