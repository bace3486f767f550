import type { StopReason, Tensor } from "@gradus/core";
import { cholesky, choleskySolve } from "../dense/cholesky.js";
import { inner, isFinitePoint, type Point, type Problem } from "./problem.js";
import { numbersOf, type Reading, readAll } from "./reading.js";

/** Products with a positive semi-definite matrix that stands for the curvature. */
export type Product = (vector: Tensor) => Tensor;

/** Up to how many parameters the matrix is formed, so that trying another damping costs no products. */
const SMALL = 64;

/** How exactly the system is solved where no matrix is formed. */
export interface SolverOptions {
  /** Conjugate gradients end after so many products, */
  readonly maxProducts: number;
  /** or when the residual is smaller than the gradient by this factor. */
  readonly tolerance: number;
}

export interface DampedOptions extends SolverOptions {
  /** Added to the matrix's diagonal. */
  readonly damping: number;
}

export interface DampedStep<Aux> {
  readonly point: Point<Aux>;
  /** For the next step. */
  readonly damping: number;
  readonly reason?: StopReason;
}

/**
 * A step to the minimum of the damped quadratic model, `d = -(C + damping I)^-1 g`. It is taken if the objective falls. The
 * damping follows how well the model foretold it (Nielsen's rule): down to a third, or up without end until a step is good.
 *
 * Source: Levenberg 1944; Marquardt 1963; Madsen, Nielsen and Tingleff, "Methods for Non-Linear Least Squares Problems", 2004.
 */
export function* dampedStep<P, Batch, Aux>(
  problem: Problem<P, Batch, Aux>,
  point: Point<Aux>,
  product: Product,
  options: DampedOptions,
): Reading<DampedStep<Aux>> {
  const { layout } = problem;
  let { damping } = options;
  const solve = yield* dampedSolver(problem, point, product, options);
  let rise = 2;
  let sawNumbers = false;
  for (let tries = 0; tries < 40; tries++) {
    const solved = yield* solve(damping);
    if (solved !== undefined) {
      const { step, decrease } = solved;
      const moved = layout.engine.scope(() => point.x.add(step));
      const next = yield* problem.at(moved);
      const finite = isFinitePoint(next);
      // A step so short that nothing moves says nothing about the numbers around.
      const blind = tries > 0 && !sawNumbers && next.value === point.value;
      if (blind) break;
      sawNumbers ||= finite;
      const gained = point.value - next.value;
      if (finite && gained > 0) {
        const ratio = gained / decrease;
        const factor = Math.max(1 / 3, 1 - (2 * ratio - 1) ** 3);
        return { point: next, damping: damping * Math.min(factor, 10) };
      }
      if (finite && decrease <= 10 * layout.epsilon * Math.abs(point.value)) {
        return { point, damping, reason: "converged" };
      }
    }
    damping = Math.max(damping * rise, 1e-12);
    rise *= 2;
    if (!Number.isFinite(damping)) break;
  }
  return { point, damping: options.damping, reason: sawNumbers ? "line-search-failed" : "non-finite" };
}

/** The step for a damping and the decrease that the undamped model foretells; undefined if there is none. */
type Solver = (damping: number) => Reading<{ readonly step: Tensor; readonly decrease: number } | undefined>;

/** Solves `(C + damping I) d = -g`: with the whole matrix if there are few parameters, else by conjugate gradients. */
export function* dampedSolver<P, Batch, Aux>(
  problem: Problem<P, Batch, Aux>,
  point: Point<Aux>,
  product: Product,
  options: SolverOptions,
): Reading<Solver> {
  return problem.layout.size <= SMALL
    ? yield* denseSolver(problem, point, product)
    : iterativeSolver(problem, point, product, options);
}

function* denseSolver<P, Batch, Aux>(
  { layout }: Problem<P, Batch, Aux>,
  point: Point<Aux>,
  product: Product,
): Reading<Solver> {
  const g = yield* numbersOf(point.gradient);
  const rows: Float64Array[] = [];
  for (let i = 0; i < layout.size; i++) {
    const unit = new Float64Array(layout.size);
    unit[i] = 1;
    rows.push(yield* numbersOf(product(layout.vector(unit))));
  }
  const matrix = rows.map((row, i) => row.map((v, j) => (v + ((rows[j] as Float64Array)[i] as number)) / 2));
  // A hundredfold of rounding, so that directions without curvature do not fail.
  const size = matrix.reduce((max, row, i) => Math.max(max, row[i] as number), 0);
  return function* (damping) {
    const factor = cholesky(matrix, Math.max(damping, 1e-14 * size));
    if (factor === undefined) return undefined;
    const d = choleskySolve(factor, g).map((v) => -v);
    let decrease = 0;
    d.forEach((v, i) => {
      const row = matrix[i] as Float64Array;
      decrease -= v * (g[i] as number);
      for (let j = 0; j < d.length; j++) decrease -= 0.5 * v * (row[j] as number) * (d[j] as number);
    });
    if (!Number.isFinite(decrease)) return undefined;
    return { step: layout.vector(d), decrease };
  };
}

function iterativeSolver<P, Batch, Aux>(
  { layout }: Problem<P, Batch, Aux>,
  point: Point<Aux>,
  product: Product,
  { maxProducts, tolerance }: SolverOptions,
): Solver {
  const { engine } = layout;
  return function* (damping) {
    let step = layout.zeros();
    let residual = point.gradient;
    let d = residual.neg();
    let [square] = yield* readAll([inner(residual, residual)] as const);
    const enough = tolerance ** 2 * square;
    for (let k = 0; k < maxProducts; k++) {
      const by = d;
      const pushed = engine.scope(() => product(by).add(by.mul(damping)));
      const [curvature] = yield* readAll([inner(by, pushed)] as const);
      if (!(curvature > 0)) break;
      const t = square / curvature;
      const [sofar, left] = [step, residual];
      step = engine.scope(() => sofar.add(by.mul(t)));
      residual = engine.scope(() => left.add(pushed.mul(t)));
      const rest = residual;
      const [next] = yield* readAll([inner(rest, rest)] as const);
      if (next <= enough) break;
      const beta = next / square;
      d = engine.scope(() => rest.neg().add(by.mul(beta)));
      square = next;
    }
    // With r = g + (C + damping I) d: the undamped model falls by -<g, d> - <d, C d> / 2.
    const [found, rest] = [step, residual];
    const [slope, left, own] = yield* readAll(
      engine.scope(() => [inner(point.gradient, found), inner(rest, found), inner(found, found)] as const),
    );
    const decrease = -slope - 0.5 * (left - slope - damping * own);
    return Number.isFinite(decrease) && own > 0 ? { step: found, decrease } : undefined;
  };
}
