import { fail, type PerAxis } from "@gradus/core";

/** One number for each of `count` axes. Throws unless they are whole numbers of at least `least`. */
export function perAxis(
  layer: string,
  name: string,
  value: PerAxis,
  count: number,
  least: number,
): readonly number[] {
  const list = typeof value === "number" ? new Array<number>(count).fill(value) : value;
  if (Array.isArray(list) && list.length === count && list.every((n) => Number.isInteger(n) && n >= least)) {
    return list;
  }
  const several = count === 1 ? "" : ` or ${count} of them`;
  return fail(
    "invalid-argument",
    `${layer}: ${name} must be a whole number of at least ${least}${several}, got ${String(value)}`,
  );
}
