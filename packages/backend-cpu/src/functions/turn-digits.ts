import { F64, I32, unsigned } from "../wasm/encode.js";
import { type FunctionBody, op, simd } from "../wasm/function-body.js";

/** Bits of a digit of 1 / 2 pi: its products with half of an f64's are exact. */
export const DIGIT_BITS = 24;
/** So many that the greatest f64 has nine that count. */
const COUNT = 50;

/** The first digits of 1 / 2 pi in base 2^24, from Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239). */
function digitsOfTurn(): number[] {
  const bits = BigInt(DIGIT_BITS * COUNT);
  const one = 1n << (bits + 64n);
  const arctan = (n: bigint): bigint => {
    let sum = 0n;
    let term = one / n;
    for (let k = 1n; term !== 0n; k += 2n) {
      sum += (k & 2n ? -term : term) / k;
      term /= n * n;
    }
    return sum;
  };
  const turn = 32n * arctan(5n) - 8n * arctan(239n);
  const fraction = (one << bits) / turn;
  return Array.from({ length: COUNT }, (_, j) =>
    Number(BigInt.asUintN(DIGIT_BITS, fraction >> (bits - BigInt(DIGIT_BITS * (j + 1))))),
  );
}

/** The body of a function of lanes that are whole numbers, which gives these digits. */
export function turnDigits(body: FunctionBody): void {
  const digits = digitsOfTurn();
  const [lane, digit] = [body.local(I32), body.local(F64)];
  for (const k of [0, 1]) {
    body.get(0);
    body.simd(simd.extractF64, k);
    body.put(0xfc, 3);
    body.set(lane);
    // A block for each digit, entered at its end.
    body.put(op.block, op.void);
    for (let j = 0; j <= COUNT; j++) body.put(op.block, op.void);
    body.get(lane);
    body.put(0x0e, ...unsigned(COUNT));
    for (let j = 0; j <= COUNT; j++) body.put(...unsigned(j));
    for (let j = 0; j <= COUNT; j++) {
      body.put(op.end);
      body.constant(F64, digits[j] ?? 0);
      body.set(digit);
      body.put(op.branch, ...unsigned(COUNT - j));
    }
    body.put(op.end);
    if (k === 0) {
      body.get(digit);
      body.simd(simd.splatF64);
    } else {
      body.get(digit);
      body.simd(simd.replaceF64, 1);
    }
  }
}
