/*
 * IEEE binary16 on the host. Node 20 has no Float16Array, so elements of an f16 tensor are 16 bits in a Uint16Array, and
 * their values are what a Float32Array holds exactly.
 */

/** The bits of the binary16 number nearest to `value`, ties to even; from 65520 on that is infinity. */
export function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (!(magnitude < 65520)) return Number.isNaN(value) ? 0x7e00 : sign | 0x7c00;
  // Neighbours are 2^(shift - 24) apart; below 2^-14, among the subnormal numbers, they are as far apart as just above it.
  const shift = 31 - Math.clz32(Math.floor(magnitude * 2 ** 14) | 1);
  // Adding and taking away 2^52 rounds to a whole number, ties to even.
  const steps = magnitude * (2 ** 24 / (1 << shift)) + 2 ** 52 - 2 ** 52;
  // The exponent's field counts the shift, and the leading one of `steps` carries into it: also where it rounds up to 2^11.
  return sign | ((shift << 10) + steps);
}

/** The number that the bits of a binary16 mean. */
export function halfValue(bits: number): number {
  known ??= new Float32Array(65536).map((_, i) => numberOf(i));
  return known[bits] as number;
}

let known: Float32Array | undefined;

function numberOf(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const magnitude =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -24
        : (1024 + fraction) * 2 ** (exponent - 25);
  return (bits & 0x8000) === 0 ? magnitude : -magnitude;
}
