import type { Tensor } from "@gradus/core";
import type { Lab } from "./lab.js";
import { elementsOf, type GoldenTensor, type Tolerance } from "./schema/values.js";

/** One comparison that a case asks for. */
export type Check =
  | {
      /** What is compared: `grads.input`. */
      readonly what: string;
      readonly got: Tensor | number;
      readonly want: GoldenTensor;
      /** Another right answer: the one of float64, for results in float32. */
      readonly or?: GoldenTensor | undefined;
    }
  | { readonly what: string; readonly passed: boolean; readonly expected: string; readonly got: string };

export interface Mismatch {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  /** The first differing element, and the greatest difference. */
  readonly detail: string;
}

interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Why a check does not hold, or undefined if it does. */
export async function mismatchOf(
  check: Check,
  lab: Lab,
  own: Tolerance | undefined,
): Promise<Mismatch | undefined> {
  const { what } = check;
  if ("passed" in check)
    return check.passed ? undefined : { what, expected: check.expected, got: check.got, detail: "" };
  const { got, want, or } = check;
  const tolerance = lab.tolerance(want.dtype, own);
  const values: Values =
    typeof got === "number" ? { shape: [], data: [got] } : { shape: got.shape, data: await got.read() };
  const expected = formatValues({ shape: want.shape, data: elementsOf(want) });
  const mismatch = (detail: string): Mismatch => ({ what, expected, got: formatValues(values), detail });
  if (typeof got !== "number") {
    const dtype = lab.dtype(want.dtype);
    if (got.dtype !== dtype) return mismatch(`the dtype is ${got.dtype}, not ${dtype}`);
  }
  const first = differenceOf(values, want, tolerance);
  if (first === undefined) return undefined;
  if (or !== undefined && differenceOf(values, or, tolerance) === undefined) return undefined;
  return mismatch(first);
}

/** How `got` differs from `want`, in words; undefined where it does not. */
export function differenceOf(got: Values, want: GoldenTensor, { rtol, atol }: Tolerance): string | undefined {
  if (`${got.shape}` !== `${want.shape}` || got.shape.length !== want.shape.length) {
    return `the shape is [${got.shape.join(", ")}], not [${want.shape.join(", ")}]`;
  }
  const expected = elementsOf(want);
  let first = "";
  let count = 0;
  let maxError = 0;
  expected.forEach((w, i) => {
    const g = got.data[i] as number;
    if (near(g, w, rtol, atol)) return;
    count++;
    const error = Math.abs(g - w);
    maxError = Number.isNaN(error) || Number.isNaN(maxError) ? Number.NaN : Math.max(maxError, error);
    if (count === 1)
      first = `at [${positionOf(i, want.shape).join(", ")}]: ${formatNumber(g)}, not ${formatNumber(w)}`;
  });
  if (count === 0) return undefined;
  const rest = count === 1 ? "" : `, and ${count - 1} more of ${expected.length}`;
  return `${first}${rest}; max error ${Number(maxError.toPrecision(3))}`;
}

/** `|got - want| <= atol + rtol |want|`; NaN is NaN, and infinities are equal by sign. */
export function near(got: number, want: number, rtol: number, atol: number): boolean {
  if (Object.is(got, want) || got === want) return true;
  if (!Number.isFinite(want)) return false;
  return Math.abs(got - want) <= atol + rtol * Math.abs(want);
}

function positionOf(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  let rest = index;
  for (const n of [...shape].reverse()) {
    position.unshift(rest % n);
    rest = Math.floor(rest / n);
  }
  return position;
}

const SHOWN = 6;

/** `[2, 3] 1, 2, 3, 4, 5, 6`; the first elements where there are many. */
export function formatValues({ shape, data }: Values): string {
  const shown = Array.from({ length: Math.min(data.length, SHOWN) }, (_, i) =>
    formatNumber(data[i] as number),
  );
  const more = data.length > SHOWN ? ", ..." : "";
  return shape.length === 0 ? shown.join() : `[${shape.join(", ")}] ${shown.join(", ")}${more}`;
}

function formatNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : `${Number.isInteger(value) ? value : Number(value.toPrecision(12))}`;
}
