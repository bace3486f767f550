import type { Bindings } from "./bindings.js";
import type { Expressions } from "./expressions.js";

/** Gives axes their values, in variables a0, a1 and so on, of a position in row-major order. */
export function decodeAxes(
  expressions: Expressions,
  bindings: Bindings,
  position: string,
  axes: readonly number[],
): void {
  const [first, ...others] = axes;
  if (first === undefined) return;
  if (others.length === 0) {
    expressions.line(`let a${first} = i32(${position});`);
    return;
  }
  const rest = expressions.fresh("rest");
  expressions.line(`var ${rest} = ${position};`);
  for (const axis of others.reverse()) {
    const size = `u32(${bindings.size(axis)})`;
    expressions.line(`let a${axis} = i32(${rest} % ${size});\n${rest} = ${rest} / ${size};`);
  }
  expressions.line(`let a${first} = i32(${rest});`);
}
