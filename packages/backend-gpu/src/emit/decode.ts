import type { Bindings } from "./bindings.js";
import type { Expressions } from "./expressions.js";

/** Gives axes their values, in variables a0, a1 and so on, of a position in row-major order; `own` renumbers the variables. */
export function decodeAxes(
  expressions: Expressions,
  bindings: Bindings,
  position: string,
  axes: readonly number[],
  own: (axis: number) => number = (axis) => axis,
): void {
  const [first, ...others] = axes;
  if (first === undefined) return;
  if (others.length === 0) {
    expressions.line(`let a${own(first)} = i32(${position});`);
    return;
  }
  const rest = expressions.fresh("rest");
  expressions.line(`var ${rest} = ${position};`);
  for (const axis of others.reverse()) {
    const size = `u32(${bindings.size(axis)})`;
    expressions.line(`let a${own(axis)} = i32(${rest} % ${size});\n${rest} = ${rest} / ${size};`);
  }
  expressions.line(`let a${own(first)} = i32(${rest});`);
}
