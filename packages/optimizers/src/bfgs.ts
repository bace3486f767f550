import type { Optimizer } from "@gradus/core";
import { dot, greatest, norm, rowsOf, times } from "./dense/vectors.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { numbersOf } from "./problem/reading.js";
import { searchLine } from "./problem/search-line.js";

/**
 * BFGS: Newton's method with a dense inverse Hessian that is estimated from all past steps, and a strong Wolfe line search.
 *
 * ```text
 * d = -H g,  x' = x + t d,  s = x' - x,  y = g' - g
 * H' = (1 - s y^T / <s, y>) H (1 - y s^T / <s, y>) + s s^T / <s, y>
 * ```
 *
 * The first H is the identity; before its first update it is scaled by `<s, y> / <y, y>`. The matrix is kept in float64 on
 * the host, or as exactly as the parameters allow.
 *
 * - **When**: up to some hundred parameters, a gradient but no Hessian. With more, `lbfgs`.
 * - **Memory**: a matrix of n x n for n parameters; O(n^2) arithmetic an iteration, on the host.
 * - **Evaluations**: about 1.2 of value and gradient an iteration.
 *
 * Ends with `converged`, `line-search-failed`, `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range and an empty parameter tree; `step` throws `tree-mismatch` or
 * `shape-mismatch` for a state of something else.
 *
 * Source: SciPy's `minimize(method="BFGS")`; Nocedal and Wright, "Numerical Optimization", algorithm 6.1.
 *
 * @example
 * ```ts
 * import { objective } from "@gradus/autograd";
 * import { bfgs } from "@gradus/optimizers";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = objective((x: Tensor) => x.sub(3).square().mul(tensor([1, 100])).sum());
 * const optimizer = bfgs();
 * let params = tensor([0, 10]);
 * let state = optimizer.init(params);
 * let reason: string | undefined;
 * while (reason === undefined) ({ params, state, reason } = await optimizer.step(f, params, state, undefined));
 * console.log(reason, params.sub(3).abs().max().item() < 1e-4); // → converged true
 * ```
 */
export function bfgs(options: StoppingOptions = {}): Optimizer {
  return iterative({
    name: "bfgs",
    stopping: options,
    // How often the matrix was updated (0: it is the identity), and the last decrease.
    keeps: { scalars: { updates: 0, decrease: 0 }, tensors: { inverse: "matrix" } },
    *iterate(problem, point, { scalars, tensors }) {
      const { layout } = problem;
      const { updates, decrease } = scalars;
      const g = yield* numbersOf(point.gradient);
      const matrix = rowsOf(yield* numbersOf(tensors.inverse), layout.size);
      const d = updates === 0 ? g.map((v) => -v) : times(matrix, g).map((v) => -v);
      let slope = dot(d, g);
      const descends = slope < 0;
      if (!descends) {
        // Rounding has spoilt the matrix.
        g.forEach((v, i) => {
          d[i] = -v;
        });
        slope = -dot(g, g);
      }
      const length = greatest(d);
      const first =
        decrease > 0 ? Math.min(1, (-2.02 * decrease) / slope) : Math.min(1, 1 / Math.sqrt(-slope));
      const direction = { vector: layout.vector(d), slope, length };
      const searched = yield* searchLine(problem, point, direction, first, "strong-wolfe");
      const lost = searched.reason === "line-search-failed" && updates > 0;
      if (lost || (!descends && updates > 0)) {
        const fresh = { scalars: { updates: 0, decrease: 0 }, tensors: { inverse: layout.matrix() } };
        return { point: searched.point, memory: fresh };
      }
      const next = searched.point;
      if (next === point) {
        return { point, memory: { scalars: { updates, decrease }, tensors }, reason: searched.reason };
      }
      const s = d.map((v) => v * searched.step);
      const y = (yield* numbersOf(next.gradient)).map((v, i) => v - (g[i] as number));
      const inverse = update(updates === 0 ? undefined : matrix, s, y);
      return {
        point: next,
        memory: {
          scalars: {
            updates: inverse === undefined ? updates : updates + 1,
            decrease: point.value - next.value,
          },
          tensors: { inverse: inverse === undefined ? tensors.inverse : layout.matrix(inverse) },
        },
      };
    },
  });
}

/** The inverse with a step taken up; undefined if the step does not curve upwards. */
function update(
  inverse: readonly Float64Array[] | undefined,
  s: Float64Array,
  y: Float64Array,
): Float64Array | undefined {
  const n = s.length;
  const sy = dot(s, y);
  if (!(sy > 1e-14 * norm(s) * norm(y))) return undefined;
  const before = inverse ?? rowsOf(scaledIdentity(n, sy / dot(y, y)), n);
  const hy = times(before, y);
  const factor = (1 + dot(y, hy) / sy) / sy;
  const after = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = before[i] as Float64Array;
    const [si, hyi] = [s[i] as number, hy[i] as number];
    for (let j = 0; j < n; j++) {
      const [sj, hyj] = [s[j] as number, hy[j] as number];
      after[i * n + j] = (row[j] as number) + factor * si * sj - (hyi * sj + si * hyj) / sy;
    }
  }
  return after;
}

function scaledIdentity(n: number, scale: number): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * (n + 1)] = scale;
  return matrix;
}
