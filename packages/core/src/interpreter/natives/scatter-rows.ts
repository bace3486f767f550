import { type DType, isFloat } from "../../dtype.js";
import type { Scattering } from "../../ir/kernel.js";
import { checkLength } from "./check-length.js";
import type { NativeCall } from "./native.js";
import { checkNativeSizes } from "./native-sizes.js";

/**
 * The base, its rows joined with the source's where the index says, in order. See `NativeName` for the arguments. An index
 * out of range joins nothing and fails the launch.
 */
export function scatterRows(call: NativeCall): void {
  const { kernel, sizes } = call;
  checkNativeSizes(kernel, sizes);
  const [outer, n, k, inner] = sizes as [number, number, number, number];
  const full = kernel.attrs.full === true;
  const base = checkLength(call, 0, outer * n * inner);
  const index = checkLength(call, 1, full ? outer * k * inner : k);
  const source = checkLength(call, 2, outer * k * inner);
  const out = checkLength(call, 3, outer * n * inner);
  if (out !== base) for (let i = 0; i < outer * n * inner; i++) out[i] = base[i] as number;
  const join = joinOf(kernel.attrs.op as Scattering, kernel.outputs[0] as DType);
  let bad: string | undefined;
  for (let o = 0; o < outer; o++) {
    for (let row = 0; row < k; row++) {
      const from = (o * k + row) * inner;
      for (let i = 0; i < inner; i++) {
        const at = index[full ? from + i : row] as number;
        if (at < 0 || at >= n) {
          bad ??= `index ${at} is out of range for an axis with ${n} elements`;
          continue;
        }
        const to = (o * n + at) * inner + i;
        out[to] = join(out[to] as number, source[from + i] as number);
      }
    }
  }
  if (bad !== undefined) call.failed(bad);
}

function joinOf(op: Scattering, dtype: DType): (before: number, value: number) => number {
  switch (op) {
    case "sum":
      return isFloat(dtype) ? (a, b) => a + b : (a, b) => (a + b) | 0;
    case "prod":
      return isFloat(dtype) ? (a, b) => a * b : Math.imul;
    case "max":
      return Math.max;
    case "min":
      return Math.min;
    case "set":
      return (_, b) => b;
    default:
      return op satisfies never;
  }
}
