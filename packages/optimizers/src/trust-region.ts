import { fail, type Optimizer, type Tensor } from "@gradus/core";
import { checkNonNegative } from "./check-options.js";
import { type Eigen, symmetricEigen } from "./dense/symmetric-eigen.js";
import { dot, norm } from "./dense/vectors.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { inner, isFinitePoint, type Point, type Problem } from "./problem/problem.js";
import { numbersOf, type Reading, readAll } from "./problem/reading.js";

export interface TrustRegionOptions extends StoppingOptions {
  /**
   * How the quadratic model is minimised within the region. `"exact"`: from the whole Hessian. `"steihaug"`: by conjugate
   * gradients on Hessian-vector products, up to the region's edge. Default: exact for at most 64 parameters.
   */
  readonly subproblem?: "exact" | "steihaug";
  /** The region's first radius. Default 1. */
  readonly initialRadius?: number;
  /** Default 1000. */
  readonly maxRadius?: number;
}

/** Up to how many parameters the Hessian is formed, unless said otherwise. */
const SMALL = 64;

/**
 * Newton's method within a region in which its quadratic model is trusted. The region grows where the model foretold the
 * decrease well, and shrinks where it did not; directions of negative curvature are followed to its edge. So it leaves
 * saddles that have such a direction.
 *
 * With `"exact"`, the best step of length at most the radius is computed from the eigenvalues of the Hessian, on the host in
 * float64. With `"steihaug"`, conjugate gradients are stopped at the edge, at negative curvature, or when the model is
 * solved well enough; nothing of size n x n exists.
 *
 * - **When**: the most reliable method for smooth functions with Hessian-vector products, also where the Hessian is
 *   indefinite.
 * - **Memory**: exact: a matrix of n x n for n parameters during a step, O(n^3) arithmetic. Steihaug: four vectors of the
 *   parameters' size, and one for each product of the iteration.
 * - **Evaluations**: 1 of value and gradient an iteration, more where a step is refused; n products (exact) or up to n and
 *   mostly far fewer (Steihaug).
 *
 * Ends with `converged`, `line-search-failed` (the region vanished), `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, an empty parameter tree, or an objective without `hvp`; `step` throws
 * `tree-mismatch` or `shape-mismatch` for a state of something else.
 *
 * Source: SciPy's `minimize(method="trust-exact")` and `"trust-ncg"`; Nocedal and Wright, "Numerical Optimization", algorithms
 * 4.1, 4.3 and 7.2.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { trustRegion } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().mul(tensor([1, 100])).sum());
 * const optimizer = trustRegion();
 * let params = tensor([0, 10]);
 * let state = optimizer.init(params);
 * let reason: string | undefined;
 * while (reason === undefined) ({ params, state, reason } = await optimizer.step(f, params, state, undefined));
 * console.log(params, reason); // → Tensor f32[2] [3, 3] converged
 * ```
 */
export function trustRegion(options: TrustRegionOptions = {}): Optimizer {
  const { initialRadius = 1, maxRadius = 1000, subproblem } = options;
  checkNonNegative("trustRegion", { initialRadius, maxRadius });
  if (initialRadius === 0 || initialRadius > maxRadius) {
    fail(
      "invalid-argument",
      `trustRegion: initialRadius must be above 0 and at most maxRadius (${maxRadius}), got ${initialRadius}`,
    );
  }
  if (subproblem !== undefined && subproblem !== "exact" && subproblem !== "steihaug") {
    fail(
      "invalid-argument",
      `trustRegion: subproblem must be "exact" or "steihaug", got ${JSON.stringify(subproblem)}`,
    );
  }
  return iterative({
    name: "trustRegion",
    stopping: options,
    keeps: { scalars: { radius: initialRadius }, tensors: {} },
    *iterate(problem, point, { scalars, tensors }) {
      const { layout } = problem;
      const exact = subproblem === undefined ? layout.size <= SMALL : subproblem === "exact";
      const model = exact ? yield* exactModel(problem, point) : steihaugModel(problem, point);
      let { radius } = scalars;
      let sawNumbers = false;
      for (let tries = 0; tries < 60; tries++) {
        const { step, length, decrease, atEdge } = yield* model(radius);
        if (!Number.isFinite(decrease)) {
          return { point, memory: { scalars: { radius }, tensors }, reason: "non-finite" };
        }
        // The value cannot show so small a decrease.
        const rounding = 10 * layout.epsilon * Math.abs(point.value);
        if (decrease <= rounding) {
          if (tries > 0 && !sawNumbers) break;
          const next = yield* problem.at(layout.engine.scope(() => point.x.add(step)));
          const better = isFinitePoint(next) && next.value <= point.value && next.steepness < point.steepness;
          return {
            point: better ? next : point,
            memory: { scalars: { radius }, tensors },
            reason: "converged",
          };
        }
        const next = yield* problem.at(layout.engine.scope(() => point.x.add(step)));
        const finite = isFinitePoint(next);
        sawNumbers ||= finite;
        const ratio = finite ? (point.value - next.value) / decrease : -Infinity;
        if (!(ratio >= 0.1)) radius = 0.25 * length;
        // An exact step says more about the model than one that ended where it met the edge.
        else if (ratio > 0.9 && atEdge) radius = Math.min((exact ? 2.5 : 2) * radius, maxRadius);
        if (ratio > 0.05 || (ratio > 0 && next.steepness < 0.5 * point.steepness)) {
          return { point: next, memory: { scalars: { radius }, tensors } };
        }
        if (radius < layout.epsilon ** 2) break;
      }
      const reason = sawNumbers ? "line-search-failed" : "non-finite";
      return { point, memory: { scalars, tensors }, reason };
    },
  });
}

/** The best step of a length of at most `radius`, as a model of the objective has it. */
type Model = (radius: number) => Reading<{
  readonly step: Tensor;
  readonly length: number;
  /** By how much the model falls. */
  readonly decrease: number;
  readonly atEdge: boolean;
}>;

function* exactModel<P, Batch, Aux>(problem: Problem<P, Batch, Aux>, point: Point): Reading<Model> {
  const g = yield* numbersOf(point.gradient);
  const hessian = yield* problem.hessianAt(point.x);
  const finite = hessian.every((row) => row.every(Number.isFinite));
  const eigen = finite ? symmetricEigen(hessian) : undefined;
  return function* (radius) {
    if (eigen === undefined) return { step: point.x, length: 0, decrease: Number.NaN, atEdge: false };
    const { coordinates, atEdge } = stepWithin(eigen, g, radius);
    const step = new Float64Array(g.length);
    let decrease = 0;
    coordinates.forEach((c, k) => {
      const vector = eigen.vectors[k] as Float64Array;
      decrease -= c * (dot(vector, g) + 0.5 * (eigen.values[k] as number) * c);
      for (let i = 0; i < step.length; i++) step[i] = (step[i] as number) + c * (vector[i] as number);
    });
    return { step: problem.layout.vector(step), length: norm(coordinates), decrease, atEdge };
  };
}

/**
 * The minimum of `<g, p> + <p, H p> / 2` over `|p| <= radius`, in the basis of H's eigenvectors: `p = -(H + l I)^-1 g` with
 * the l >= 0 that makes H + l I positive semi-definite and p as long as allowed.
 */
export function stepWithin(
  { values, vectors }: Eigen,
  g: Float64Array,
  radius: number,
): { readonly coordinates: Float64Array; readonly atEdge: boolean } {
  const slopes = Float64Array.from(vectors, (v) => dot(v, g));
  const least = values[0] as number;
  const at = (shift: number): Float64Array =>
    slopes.map((slope, k) => (slope === 0 ? 0 : -slope / ((values[k] as number) + shift)));
  if (least > 0) {
    const newton = at(0);
    if (norm(newton) <= radius) return { coordinates: newton, atEdge: false };
  }
  const size = Math.max(Math.abs(least), Math.abs(values.at(-1) as number), Number.MIN_VALUE);
  const floor = Math.max(0, -least);
  // The hard case: nothing pushes along the lowest direction, and the rest is too short. Either way along it is as good.
  const lowest = floor + 1e-12 * size;
  const shortest = at(lowest);
  const length = norm(shortest);
  if (length < radius) {
    if (least <= 0) {
      const sign = (slopes[0] as number) > 0 ? -1 : 1;
      const rest = Math.sqrt(Math.max(radius ** 2 - (length ** 2 - (shortest[0] as number) ** 2), 0));
      shortest[0] = sign * rest;
    }
    return { coordinates: shortest, atEdge: least <= 0 };
  }
  // 1 / |p| is nearly linear in the shift: Newton's method on it, kept within a bracket.
  let [low, high] = [lowest, floor + norm(g) / radius + size * 1e-12];
  let shift = low;
  for (let iteration = 0; iteration < 100; iteration++) {
    const p = at(shift);
    const own = norm(p);
    if (Math.abs(own - radius) <= 1e-10 * radius) break;
    if (own > radius) low = shift;
    else high = shift;
    let bend = 0;
    p.forEach((v, k) => {
      if (v !== 0) bend += v ** 2 / ((values[k] as number) + shift);
    });
    const next = shift + (own ** 2 / bend) * ((own - radius) / radius);
    shift = next > low && next < high ? next : (low + high) / 2;
  }
  return { coordinates: at(shift), atEdge: true };
}

/** Conjugate gradients up to the edge. Products are kept, so that a smaller radius costs none. */
function steihaugModel<P, Batch, Aux>(problem: Problem<P, Batch, Aux>, point: Point): Model {
  const { engine, size } = problem.layout;
  const products: { readonly product: Tensor; readonly curvature: number }[] = [];
  return function* (radius) {
    let p = point.gradient.zerosLike();
    let residual = point.gradient;
    let d = residual.neg();
    let [square, along, length] = [yield* squareOf(residual), 0, 0];
    const start = Math.sqrt(square);
    const enough = Math.min(0.5, Math.sqrt(start)) * start;
    let decrease = 0;
    let [dd, pd] = [square, 0];
    for (let k = 0; k < 2 * size + 10; k++) {
      const known = products[k];
      const product = known?.product ?? problem.hessianTimes(point.x, d);
      const curvature = known?.curvature ?? (yield* readAll([inner(d, product)] as const))[0];
      if (known === undefined) products.push({ product, curvature });
      if (!Number.isFinite(curvature)) return { step: p, length: 0, decrease: Number.NaN, atEdge: false };
      along = square / curvature;
      const reached = Math.sqrt(Math.max(length ** 2 + 2 * along * pd + along ** 2 * dd, 0));
      if (curvature <= 0 || reached >= radius) {
        // To the edge: |p + t d| = radius.
        const t = (-pd + Math.sqrt(Math.max(pd ** 2 + dd * (radius ** 2 - length ** 2), 0))) / dd;
        decrease += t * square - 0.5 * t ** 2 * curvature;
        const [at, by] = [p, d];
        return { step: engine.scope(() => at.add(by.mul(t))), length: radius, decrease, atEdge: true };
      }
      decrease += 0.5 * along * square;
      const [at, by, left, t] = [p, d, residual, along];
      p = engine.scope(() => at.add(by.mul(t)));
      residual = engine.scope(() => left.add(product.mul(t)));
      length = reached;
      const next = yield* squareOf(residual);
      if (Math.sqrt(next) <= enough) break;
      const beta = next / square;
      const rest = residual;
      d = engine.scope(() => by.mul(beta).sub(rest));
      // In exact arithmetic: <p, d'> = beta (<p, d> + t <d, d>), <d', d'> = next + beta^2 <d, d>.
      pd = beta * (pd + t * dd);
      dd = next + beta ** 2 * dd;
      square = next;
    }
    return { step: p, length, decrease, atEdge: false };
  };
}

function* squareOf(v: Tensor): Reading<number> {
  const [square] = yield* readAll([inner(v, v)] as const);
  return square;
}
