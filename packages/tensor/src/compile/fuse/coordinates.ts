import { calculus as c, constant, contiguousStrides, type Expr, type Layout, type Shape } from "@gradus/core";
import { plus, type Sum, sumOf } from "../../lowering/sum-of.js";

function exprOf({ constant: start, terms }: Sum): Expr {
  const sum = terms.reduce<Expr>((e, { of, factor }) => c.add(e, c.mul(of, factor)), constant(0, "i32"));
  return c.add(sum, start);
}

/**
 * The coordinates in a dense value of shape `shape` of the element that `layout` sees at the coordinates `at`, or
 * undefined where no sum of multiples says so, as when a view joins axes.
 */
export function through(
  layout: Layout,
  shape: Shape,
  at: readonly Expr[],
  sizes: readonly number[],
): readonly Expr[] | undefined {
  const strides = contiguousStrides(shape);
  const found: Sum[] = shape.map(() => ({ constant: 0, terms: [] }));
  // What each term contributes to which axis: its digits in the number system of the strides.
  const put = (of: Expr | undefined, distance: number): void => {
    let rest = Math.abs(distance);
    strides.forEach((stride, axis) => {
      if (shape[axis] === 1) return;
      const digit = Math.floor(rest / stride);
      rest -= digit * stride;
      if (digit === 0) return;
      const factor = distance < 0 ? -digit : digit;
      const more: Sum =
        of === undefined ? { constant: factor, terms: [] } : { constant: 0, terms: [{ of, factor }] };
      found[axis] = plus(found[axis] as Sum, more);
    });
  };
  const computed = new Map<Expr, number>();
  let { offset } = layout;
  for (const [d, coordinate] of at.entries()) {
    const stride = layout.strides[d] as number;
    if (layout.shape[d] === 1 || stride === 0) continue;
    const sum = sumOf(coordinate);
    offset += sum.constant * stride;
    const plain = sum.terms.every(({ of }) => of.kind === "axis");
    if (plain) {
      for (const { of, factor } of sum.terms) {
        put(of, factor * stride);
      }
    } else {
      // Computed: all that is known is that it is within the axis.
      offset -= sum.constant * stride;
      computed.set(coordinate, layout.shape[d] as number);
      put(coordinate, stride);
    }
  }
  if (offset < 0) return undefined;
  put(undefined, offset);
  const extent = (of: Expr): number =>
    of.kind === "axis" ? (sizes[of.axis] as number) : (computed.get(of) ?? Number.POSITIVE_INFINITY);
  const inRange = found.every((sum, axis) => isWithin(sum, extent, shape[axis] as number));
  return inRange ? found.map(exprOf) : undefined;
}

function isWithin({ constant, terms }: Sum, extent: (of: Expr) => number, size: number): boolean {
  let [low, high] = [constant, constant];
  for (const { of, factor } of terms) {
    const reach = factor * (extent(of) - 1);
    if (reach < 0) low += reach;
    else high += reach;
  }
  return low >= 0 && high < size;
}
