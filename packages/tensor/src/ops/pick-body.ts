import { axisIndex, calculus as c, type DType, type Expr, inputAt, type LoopBody, param } from "@gradus/core";

/** Each element from where `position` says along an axis, whose size is `param(0)`; at the other axes from its own place. */
export function pickBody(name: string, dtype: DType, rank: number, axis: number, position: Expr): LoopBody {
  const size = param(0, "i32");
  // Clamped, so that nothing is read out of bounds; the check reports it.
  const clamped = c.maximum(0, c.minimum(position, c.sub(size, 1)));
  const at = Array.from({ length: rank }, (_, d) => (d === axis ? clamped : axisIndex(d)));
  return {
    name,
    params: ["i32"],
    grid: rank,
    stages: [],
    writes: [{ over: [], value: inputAt(0, dtype, at, c.greater(size, 0)) }],
    checks: [
      {
        over: [],
        holds: c.logicalAnd(c.greaterEqual(position, 0), c.less(position, size)),
        message: `${name}: an index is outside of the axis`,
      },
    ],
  };
}
