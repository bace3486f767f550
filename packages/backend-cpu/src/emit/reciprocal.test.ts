import { expect, it } from "vitest";
import { reciprocalOf } from "./expressions.js";

/** What the vector code computes. */
function divide(x: number, divisor: number): number {
  const { factor, shift } = reciprocalOf(divisor);
  const high = Number((BigInt(x) * BigInt(factor)) >> 32n) + (factor < 0 ? x : 0);
  return ((high | 0) >> shift) + (x >>> 31);
}

it("divides by multiplying, for any divisor and dividend", () => {
  const edges = [0, 1, 2, 3, 6, 7, 9, 10, 63, 64, 65, 1000, 65535, 65536, 2147483645, 2147483646, 2147483647];
  for (const divisor of [
    2,
    3,
    4,
    5,
    6,
    7,
    9,
    10,
    11,
    13,
    16,
    25,
    100,
    125,
    641,
    65537,
    1 << 30,
    2147483647,
  ]) {
    for (const edge of edges) {
      for (const x of [edge, -edge, -edge - 1]) expect(divide(x, divisor)).toBe(Math.trunc(x / divisor) | 0);
    }
  }
});
