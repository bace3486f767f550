import {
  type Evaluations,
  fail,
  type Objective,
  type Optimizer,
  type StopReason,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { checkCount, checkNonNegative } from "../check-options.js";
import { checkLike } from "../check-trees.js";
import { FlatLayout } from "../problem/flat-layout.js";
import type { StoppingOptions } from "../problem/iterative.js";
import { Problem } from "../problem/problem.js";
import { complete, numbersOf, type Reading, readAll } from "../problem/reading.js";
import { type CriticalPoint, type Curvature, curvatureAt, NO_CURVATURE } from "./critical-point.js";
import { type MinimizeMethod, optimizerOf } from "./methods.js";

export interface MinimizeOptions<P> extends StoppingOptions {
  /** By name, or an optimizer. Default `"bfgs"` for at most 100 parameters, `"l-bfgs"` above. */
  readonly method?: MinimizeMethod | Optimizer;
  /**
   * How often descent goes on from beside a saddle, a maximum or a flat place, if the value is lower there. Default 5; 0
   * stops where the method stops, as `lbfgsb` always does.
   */
  readonly perturbations?: number;
  /** Further starts, uniform between `low` and `high` (numbers, or trees like the parameters). The best result counts. */
  readonly restarts?: { readonly count: number; readonly low: number | P; readonly high: number | P };
  /**
   * Basin hopping: from the minimum, each parameter is moved by at most `size` and descent goes on from there; the new
   * minimum is kept if it is lower, or sometimes (by `temperature`, default 1) if it is not. The best result counts.
   */
  readonly hops?: { readonly count: number; readonly size: number; readonly temperature?: number };
  /** For perturbations, restarts and hops. Default 0. */
  readonly seed?: number;
  /** Called after each iteration. Its tensors may be read during the call; afterwards they are gone. */
  readonly onStep?: (progress: {
    readonly params: P;
    readonly value: number;
    readonly iteration: number;
  }) => void;
}

/** Where {@link minimizeObjective} ended. */
export interface Minimized<P> {
  readonly params: P;
  readonly value: number;
  /** The greatest absolute value in the gradient. */
  readonly gradientNorm: number;
  /** Why the last descent ended. */
  readonly reason: StopReason;
  /** What was reached; undefined where descent did not converge, or the objective has no `hvp`. */
  readonly critical: CriticalPoint | undefined;
  /** The least and greatest eigenvalue of the Hessian there. */
  readonly curvature: { readonly least: number; readonly greatest: number } | undefined;
  /**
   * Whether this is a minimum as far as can be told: converged, no negative curvature, and nothing lower beside where
   * the Hessian is flat in some direction. Never where it is flat in all of them.
   */
  readonly success: boolean;
  readonly iterations: number;
  /** All that the objective was asked, also for `critical`. */
  readonly evaluations: Evaluations;
  /** How often a saddle or flat place was left. */
  readonly escapes: number;
}

/**
 * A minimum of an objective: runs a method to its end, looks at the Hessian there, leaves saddles, and reports. `minimize`
 * of `@gradus/train` is this for a function.
 *
 * At the end, the ends of the Hessian's spectrum are found by Lanczos' method on at most 40 Hessian-vector products. Where
 * they say saddle, or are zero, a lower value is looked for beside; if there is one, descent goes on from it. So a saddle is
 * not reported as success, whatever the method makes of it.
 *
 * @throws `invalid-argument` for an unknown method, options out of range, an empty parameter tree, and what the method
 * throws.
 *
 * Source: SciPy's `optimize.minimize` and `basinhopping`.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { minimizeObjective } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().mul(tensor([1, 100])).sum());
 * const { params, reason, critical, success } = await minimizeObjective(f, tensor([0, 10]));
 * console.log(params.round(), reason, critical, success); // → Tensor f32[2] [3, 3] converged minimum true
 * ```
 */
export async function minimizeObjective<P, Aux>(
  objective: Objective<P, undefined, Aux>,
  start: P,
  options: MinimizeOptions<P> = {},
): Promise<Minimized<P>> {
  const { restarts, hops, seed = 0, onStep } = options;
  const layout = new FlatLayout("minimize", start);
  checkOptions(options, start);
  const optimizer = optimizerOf(options.method ?? (layout.size <= 100 ? "bfgs" : "l-bfgs"), {
    ...(options.gradientTolerance !== undefined && { gradientTolerance: options.gradientTolerance }),
    ...(options.maxIterations !== undefined && { maxIterations: options.maxIterations }),
  });
  // What lies beside a point at a bound may lie outside of it.
  const perturbations = optimizer.name === "lbfgsb" ? 0 : (options.perturbations ?? 5);
  const total = { value: 0, gradient: 0, hvp: 0, hessian: 0 };
  let iterations = 0;
  let draws = 0;

  /** One descent, without a look around. */
  async function descend(from: P): Promise<Descent<P>> {
    let [params, state] = [from, optimizer.init(from)];
    for (;;) {
      const step = await optimizer.step(objective, params, state, undefined);
      add(total, step.evaluations);
      const kept = new Set([...tensorsOf(step.params), ...tensorsOf(step.state), ...tensorsOf(from)]);
      for (const x of [...tensorsOf(params), ...tensorsOf(state)]) if (!kept.has(x)) x.dispose();
      const moved = step.state.step.value > state.step.value;
      ({ params, state } = step);
      if (moved) {
        iterations++;
        onStep?.({ params, value: step.loss, iteration: iterations });
      }
      if (step.reason === undefined) continue;
      const steepness = state.scalars?.steepness?.value;
      for (const x of tensorsOf(state)) x.dispose();
      return { params, value: step.loss, reason: step.reason, steepness: steepness ?? Number.NaN };
    }
  }

  /** A descent that goes on where it ended at no minimum and something is lower beside. */
  async function settle(from: P): Promise<Settled<P>> {
    let descent = await descend(from);
    for (let escapes = 0; ; escapes++) {
      const looked = await look(descent);
      if (looked?.lower === undefined || escapes >= perturbations) {
        dispose(looked?.lower);
        return { ...descent, curvature: looked?.curvature, probed: looked?.probed === true, escapes };
      }
      const next = await descend(looked.lower);
      dispose(looked.lower, next.params);
      if (!(next.value < descent.value)) {
        dispose(next.params);
        return { ...descent, curvature: looked.curvature, probed: true, escapes };
      }
      if (descent.params !== from) dispose(descent.params);
      descent = next;
    }
  }

  async function look({ params, value, reason, steepness }: Descent<P>): Promise<Looked<P> | undefined> {
    if (objective.hvp === undefined || (reason !== "converged" && reason !== "line-search-failed")) return;
    const problem = new Problem("minimize", objective, layout, undefined);
    const result = await complete(
      layout.engine,
      lookAround(problem, params, { value, steepness, seed: seed + draws++, probes: perturbations > 0 }),
    );
    add(total, problem.evaluations);
    return result;
  }

  /** A vector of numbers that are uniform in [0, 1). */
  async function draw(size: number): Promise<Float64Array> {
    return complete(layout.engine, uniform(layout, seed, draws++, size));
  }

  function treeOf(values: Float64Array): P {
    return layout.engine.scope(() => layout.unflattenCopy(layout.vector(values)));
  }

  let best = await settle(start);
  const better = (other: Settled<P>): void => {
    const wins = other.value < best.value || !Number.isFinite(best.value);
    const loser = wins ? best : other;
    if (loser.params !== start && loser.params !== current.params) dispose(loser.params);
    if (wins) best = other;
  };
  let current = best;

  if (restarts !== undefined) {
    const [low, high] = await Promise.all([boundOf(restarts.low), boundOf(restarts.high)]);
    for (let i = 0; i < restarts.count; i++) {
      const at = await draw(layout.size);
      const from = treeOf(
        at.map((u, k) => (low[k] as number) + u * ((high[k] as number) - (low[k] as number))),
      );
      const settled = await settle(from);
      if (settled.params !== from) dispose(from);
      better(settled);
    }
    if (current !== best && current.params !== start) dispose(current.params, best.params);
    current = best;
  }
  if (hops !== undefined) {
    const { temperature = 1 } = hops;
    for (let i = 0; i < hops.count; i++) {
      const here = await complete(layout.engine, hostOf(layout, current.params));
      const at = await draw(layout.size + 1);
      const from = treeOf(here.map((v, k) => v + hops.size * (2 * (at[k] as number) - 1)));
      const settled = await settle(from);
      if (settled.params !== from) dispose(from);
      const rise = settled.value - current.value;
      const accepted = rise <= 0 || (at[layout.size] as number) < Math.exp(-rise / temperature);
      const before = current;
      if (accepted) current = settled;
      better(settled);
      if (accepted && before !== best && before.params !== start) dispose(before.params, best.params);
    }
    if (current !== best && current.params !== start) dispose(current.params, best.params);
  }

  async function boundOf(bound: number | P): Promise<Float64Array> {
    if (typeof bound === "number") return new Float64Array(layout.size).fill(bound);
    return complete(layout.engine, hostOf(layout, bound));
  }

  const { params, value, reason, curvature, probed, escapes, steepness } = best;
  const { critical } = curvature ?? {};
  const solid = critical === "minimum" || (critical === "flat" && probed && (curvature?.greatest ?? 0) > 0);
  const size =
    curvature === undefined ? 0 : Math.max(Math.abs(curvature.least), Math.abs(curvature.greatest));
  return {
    params:
      params === start ? layout.engine.scope(() => layout.unflattenCopy(layout.flatten(start))) : params,
    value,
    gradientNorm: steepness,
    reason,
    critical,
    curvature: curvature && { least: curvature.least, greatest: curvature.greatest },
    success: reason === "converged" && solid && size > NO_CURVATURE,
    iterations,
    evaluations: { ...total },
    escapes,
  };
}

interface Descent<P> {
  readonly params: P;
  readonly value: number;
  readonly reason: StopReason;
  readonly steepness: number;
}

interface Settled<P> extends Descent<P> {
  readonly curvature: Curvature | undefined;
  /** Whether something lower was looked for, in vain. */
  readonly probed: boolean;
  readonly escapes: number;
}

interface Looked<P> {
  readonly curvature: Curvature;
  readonly probed: boolean;
  /** A place beside with a lower value. */
  readonly lower: P | undefined;
}

/** The Hessian at a place and, unless it is a minimum, the lowest value beside. */
function* lookAround<P, Aux>(
  problem: Problem<P, undefined, Aux>,
  params: P,
  {
    value,
    steepness,
    seed,
    probes,
  }: { readonly value: number; readonly steepness: number; readonly seed: number; readonly probes: boolean },
): Reading<Looked<P>> {
  const { layout } = problem;
  const { engine, device, size } = layout;
  const x = layout.flatten(params);
  const curvature = yield* curvatureAt(problem, x, seed);
  if (curvature.critical === "minimum" || !probes) return { curvature, probed: false, lower: undefined };
  const [length] = yield* readAll([x.square().sum().sqrt()] as const);
  const directions = [layout.vector(curvature.lowest)];
  if (curvature.critical === "flat") {
    const key = engine.key(seed, { device });
    for (let i = 1; i <= 3; i++) {
      directions.push(
        engine.scope(() => {
          const random = key.foldIn(i).normal([size]).cast(layout.dtype);
          return random.div(random.square().sum().sqrt());
        }),
      );
    }
  }
  let best: { at: Tensor; value: number } | undefined;
  for (const direction of directions) {
    for (const side of [1, -1]) {
      for (let step = 1e-3 * (1 + length); step < 10 * (1 + length); step *= 4) {
        const at = engine.scope(() => x.add(direction.mul(side * step)));
        const found = yield* problem.valueAt(at);
        // More than the slope explains, and than rounding does.
        const margin = 10 * layout.epsilon * Math.abs(value) + 2 * steepness * step * Math.sqrt(size);
        if (!Number.isFinite(found) || found >= (best?.value ?? value - margin)) {
          if (best !== undefined) break;
          continue;
        }
        best = { at, value: found };
      }
    }
  }
  return { curvature, probed: true, lower: best && layout.unflattenCopy(best.at) };
}

function* uniform<P>(
  { engine, device }: FlatLayout<P>,
  seed: number,
  draw: number,
  size: number,
): Reading<Float64Array> {
  return yield* numbersOf(engine.key(seed, { device }).foldIn(draw).uniform([size]));
}

function* hostOf<P>(layout: FlatLayout<P>, tree: P): Reading<Float64Array> {
  return yield* numbersOf(layout.flatten(tree));
}

function add(total: { -readonly [K in keyof Evaluations]: number }, more: Evaluations): void {
  for (const kind of ["value", "gradient", "hvp", "hessian"] as const) total[kind] += more[kind];
}

/** Frees the tensors of a tree, except those that another has too. */
function dispose(tree: unknown, except?: unknown): void {
  const kept = new Set(tensorsOf(except));
  for (const x of tensorsOf(tree)) if (!kept.has(x)) x.dispose();
}

function checkOptions<P>(options: MinimizeOptions<P>, start: P): void {
  const { perturbations, restarts, hops, seed } = options;
  if (perturbations !== undefined) checkCount("minimize", "perturbations", perturbations, 0);
  if (seed !== undefined) checkCount("minimize", "seed", seed, 0);
  if (restarts !== undefined) {
    checkCount("minimize", "restarts.count", restarts.count);
    for (const name of ["low", "high"] as const) {
      const bound = restarts[name];
      if (typeof bound !== "number") checkLike(`minimize: restarts.${name}`, start, bound);
      else if (!Number.isFinite(bound)) {
        fail("invalid-argument", `minimize: restarts.${name} must be finite, got ${bound}`);
      }
    }
  }
  if (hops !== undefined) {
    checkCount("minimize", "hops.count", hops.count);
    checkNonNegative("minimize", { "hops.size": hops.size, "hops.temperature": hops.temperature ?? 1 });
  }
}
