const NUMBER = /^[+-]?(?:\d+(\.\d*)?|(\.\d+))(?:e([+-]?\d+))?$/i;

/**
 * Whether a number, rounded to the digits that are written, is the written number: 0.27290321 agrees with `0.272903`.
 * An integer that is written without a point or exponent is exact: 3.2 does not agree with `3`, but does with `3.`
 */
export function agrees(value: number, written: string): boolean {
  const match = written.match(NUMBER);
  if (!match) return false;
  const [, afterInteger, alone, exponent] = match;
  const decimals = (afterInteger ?? alone)?.slice(1).length;
  const expected = Number(written);
  if (decimals === undefined && exponent === undefined) return value === expected;
  const halfUnit = 10 ** (Number(exponent ?? 0) - (decimals ?? 0)) / 2;
  // The factor leaves room for the rounding of the written number and of the difference.
  return Math.abs(value - expected) <= halfUnit * (1 + 1e-9);
}
