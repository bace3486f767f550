/**
 * For `JSON.stringify`: JSON has no NaN, infinities and -0, which losses and states may be. All other numbers it gives back
 * exactly.
 */
export function encodeNumber(_: string, value: unknown): unknown {
  if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value;
  return { $number: Object.is(value, -0) ? "-0" : String(value) };
}

/** For `JSON.parse`: what {@link encodeNumber} wrote. */
export function decodeNumber(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$number" in value)) return value;
  return Number(value.$number);
}
