import { fail, type StopReason, type Tensor } from "@gradus/core";
import { backtracking } from "../line-search/backtracking.js";
import { type StrongWolfeOptions, strongWolfe } from "../line-search/strong-wolfe.js";
import { isFinitePoint, type Point, type Problem } from "./problem.js";
import type { Reading } from "./reading.js";

export type LineSearch = "strong-wolfe" | "backtracking";

/** Throws unless it is one of the line searches. */
export function checkLineSearch(method: string, lineSearch: LineSearch): void {
  if (lineSearch === "strong-wolfe" || lineSearch === "backtracking") return;
  fail(
    "invalid-argument",
    `${method}: lineSearch must be "strong-wolfe" or "backtracking", got ${JSON.stringify(lineSearch)}`,
  );
}

/** A direction, with what a line search must know about it. */
export interface Direction {
  readonly vector: Tensor;
  /** The derivative along it. */
  readonly slope: number;
  /** The greatest absolute value in it. */
  readonly length: number;
}

/** Where a line search led: to a better point, or nowhere, with the reason. */
export interface Searched<Aux> {
  readonly point: Point<Aux>;
  readonly step: number;
  readonly reason?: StopReason;
}

/** Goes from a point along a direction of descent to a better point; to the point itself if there is none. */
export function* searchLine<P, Batch, Aux>(
  problem: Problem<P, Batch, Aux>,
  from: Point<Aux>,
  { vector, slope, length }: Direction,
  first: number,
  kind: LineSearch,
  options: StrongWolfeOptions & { readonly project?: (x: Tensor) => Tensor } = {},
): Reading<Searched<Aux>> {
  const start = { ...from, step: 0, slope };
  const probe = problem.along(from, vector, options.project);
  let sawNumbers = false;
  const watched = function* (step: number) {
    const at = yield* probe(step);
    sawNumbers ||= isFinitePoint(at);
    return at;
  };
  const found =
    kind === "strong-wolfe"
      ? yield* strongWolfe(watched, start, first, length, options)
      : yield* backtracking(watched, start, first, options);
  if (found.step === 0 || !isFinitePoint(found)) {
    const reason = !sawNumbers
      ? "non-finite"
      : isRounding(problem, from, slope * first)
        ? "converged"
        : "line-search-failed";
    return { point: from, step: 0, reason };
  }
  return { point: found, step: found.step };
}

/** Whether a decrease is too small to show in the value, given how numbers are rounded. */
function isRounding<P, Batch, Aux>(
  { layout }: Problem<P, Batch, Aux>,
  { value }: Point<Aux>,
  decrease: number,
): boolean {
  return Math.abs(decrease) <= 10 * layout.epsilon * Math.abs(value);
}
