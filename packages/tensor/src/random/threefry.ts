import { calculus as c, constant, type Expr } from "@gradus/core";

/** Rotations of Threefry-2x32, one list for every other four rounds. */
const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const PARITY = 0x1bd11bda;

/**
 * Threefry-2x32 with 20 rounds: two 32-bit words from a key and a counter, as expressions of i32.
 *
 * Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). It
 * needs only additions, rotations and xor of 32-bit words, which every backend computes alike.
 */
export function threefry(key: readonly [Expr, Expr], counter: readonly [Expr, Expr]): [Expr, Expr] {
  const schedule = [key[0], key[1], c.bitXor(c.bitXor(key[0], key[1]), constant(PARITY, "i32"))] as const;
  let x = c.add(counter[0], schedule[0]);
  let y = c.add(counter[1], schedule[1]);
  for (let group = 0; group < 5; group++) {
    for (const bits of ROTATIONS[group % 2] as readonly number[]) {
      x = c.add(x, y);
      y = c.bitXor(rotateLeft(y, bits), x);
    }
    x = c.add(x, schedule[(group + 1) % 3] as Expr);
    y = c.add(c.add(y, schedule[(group + 2) % 3] as Expr), group + 1);
  }
  return [x, y];
}

function rotateLeft(x: Expr, bits: number): Expr {
  return c.bitOr(c.shiftLeft(x, bits), c.shiftRightLogical(x, 32 - bits));
}
