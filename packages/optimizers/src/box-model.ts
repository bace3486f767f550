import type { CompactHessian } from "./compact-hessian.js";
import { solve } from "./dense/solve.js";
import { dot } from "./dense/vectors.js";

export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * Where the quadratic model `<g, p> + <p, B p> / 2` within a box is least, nearly: first along the path of the projected
 * gradient to its first minimum (the generalized Cauchy point), then over the parameters that are free there. Undefined if the
 * estimate B has broken down.
 *
 * Source: Byrd, Lu, Nocedal and Zhu, "A Limited Memory Algorithm for Bound Constrained Optimization", 1995.
 */
export function minimizeInBox(
  x: Float64Array,
  g: Float64Array,
  b: CompactHessian,
  box: Box,
): Float64Array | undefined {
  const cauchy = cauchyPoint(x, g, b, box);
  return cauchy && subspaceMinimum(x, g, b, box, cauchy.point, cauchy.moved);
}

function cauchyPoint(
  x: Float64Array,
  g: Float64Array,
  b: CompactHessian,
  { lower, upper }: Box,
): { readonly point: Float64Array; readonly moved: Float64Array } | undefined {
  const point = Float64Array.from(x);
  const bend = g.map((slope, i) => {
    const bound = (slope < 0 ? upper[i] : lower[i]) as number;
    return slope === 0 ? Infinity : ((x[i] as number) - bound) / slope;
  });
  const d = g.map((slope, i) => ((bend[i] as number) > 0 ? -slope : 0));
  // c = W^T (point - x), p = W^T d.
  const c = new Float64Array(b.rank);
  const p = b.project(d);
  let slope = -dot(d, d);
  if (slope === 0) return { point, moved: c };
  const pushed = b.middleTimes(p);
  if (pushed === undefined) return undefined;
  let curvature = -b.theta * slope - dot(p, pushed);
  const floor = Number.EPSILON * -b.theta * slope;
  let time = 0;
  const order = [...bend.keys()]
    .filter((i) => (bend[i] as number) > 0)
    .sort((i, j) => (bend[i] as number) - (bend[j] as number));
  for (const i of order) {
    const until = bend[i] as number;
    const least = -slope / Math.max(curvature, floor);
    if (least < until - time || until === Infinity) break;
    const step = until - time;
    time = until;
    // Parameter i stops at its bound.
    const gi = g[i] as number;
    const bound = (gi < 0 ? upper[i] : lower[i]) as number;
    point[i] = bound;
    const z = bound - (x[i] as number);
    for (let k = 0; k < c.length; k++) c[k] = (c[k] as number) + step * (p[k] as number);
    const w = b.row(i);
    const [mc, mp, mw] = [b.middleTimes(c), b.middleTimes(p), b.middleTimes(w)];
    if (mc === undefined || mp === undefined || mw === undefined) return undefined;
    slope += step * curvature + gi * gi + b.theta * gi * z - gi * dot(w, mc);
    curvature += -b.theta * gi * gi - 2 * gi * dot(w, mp) - gi * gi * dot(w, mw);
    for (let k = 0; k < p.length; k++) p[k] = (p[k] as number) + gi * (w[k] as number);
    d[i] = 0;
    if (slope >= 0) return { point: free(point, x, d, time, 0), moved: c };
  }
  const last = Math.max(-slope / Math.max(curvature, floor), 0);
  for (let k = 0; k < c.length; k++) c[k] = (c[k] as number) + last * (p[k] as number);
  return { point: free(point, x, d, time, last), moved: c };
}

/** The point with the parameters that did not meet a bound moved on. */
function free(
  point: Float64Array,
  x: Float64Array,
  d: Float64Array,
  time: number,
  last: number,
): Float64Array {
  return point.map((v, i) => (d[i] === 0 ? v : (x[i] as number) + (time + last) * (d[i] as number)));
}

function subspaceMinimum(
  x: Float64Array,
  g: Float64Array,
  b: CompactHessian,
  { lower, upper }: Box,
  cauchy: Float64Array,
  moved: Float64Array,
): Float64Array | undefined {
  const open = [...cauchy.keys()].filter(
    (i) => (cauchy[i] as number) > (lower[i] as number) && (cauchy[i] as number) < (upper[i] as number),
  );
  if (open.length === 0) return cauchy;
  const { theta, rank } = b;
  const mc = b.middleTimes(moved);
  if (mc === undefined) return undefined;
  const rows = open.map((i) => b.row(i));
  // The model's gradient at the Cauchy point, for the free parameters.
  const r = Float64Array.from(
    open,
    (i, k) =>
      (g[i] as number) +
      theta * ((cauchy[i] as number) - (x[i] as number)) -
      dot(rows[k] as Float64Array, mc),
  );
  const gathered = new Float64Array(rank);
  rows.forEach((w, k) => {
    for (let j = 0; j < rank; j++)
      gathered[j] = (gathered[j] as number) + (w[j] as number) * (r[k] as number);
  });
  let correction = new Float64Array(rank);
  if (rank > 0) {
    const mv = b.middleTimes(gathered);
    if (mv === undefined) return undefined;
    // I - M (W_F^T W_F) / theta, column by column.
    const system = Array.from({ length: rank }, (_, i) =>
      Float64Array.from({ length: rank }, (_, j) => (i === j ? 1 : 0)),
    );
    for (let j = 0; j < rank; j++) {
      const column = new Float64Array(rank);
      for (const w of rows)
        for (let i = 0; i < rank; i++)
          column[i] = (column[i] as number) + ((w[i] as number) * (w[j] as number)) / theta;
      const image = b.middleTimes(column);
      if (image === undefined) return undefined;
      for (let i = 0; i < rank; i++)
        (system[i] as Float64Array)[j] = ((system[i] as Float64Array)[j] as number) - (image[i] as number);
    }
    const solved = solve(system, mv);
    if (solved === undefined) return undefined;
    correction = Float64Array.from(solved);
  }
  const d = r.map((v, k) => -v / theta - dot(rows[k] as Float64Array, correction) / theta ** 2);
  // As far as the box allows.
  let reach = 1;
  open.forEach((i, k) => {
    const step = d[k] as number;
    const room = ((step > 0 ? upper[i] : lower[i]) as number) - (cauchy[i] as number);
    if (step !== 0) reach = Math.min(reach, Math.max(room / step, 0));
  });
  const result = Float64Array.from(cauchy);
  open.forEach((i, k) => {
    result[i] = (cauchy[i] as number) + reach * (d[k] as number);
  });
  return result;
}
