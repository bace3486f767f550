import { checkLength } from "./check-length.js";
import type { NativeCall } from "./native.js";
import { checkNativeSizes } from "./native-sizes.js";

/** The stable order of each row. See `NativeName` for the arguments. NaN counts as greater than everything else. */
export function argsort(call: NativeCall): void {
  const { kernel, sizes } = call;
  checkNativeSizes(kernel, sizes);
  const [rows, n] = sizes as [number, number];
  const values = checkLength(call, 0, rows * n);
  const out = checkLength(call, 1, rows * n);
  const sign = kernel.attrs.descending === true ? -1 : 1;
  const order = new Int32Array(n);
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    for (let i = 0; i < n; i++) order[i] = i;
    // Equal values keep their order, whichever way is sorted.
    order.sort((i, j) => sign * compare(values[start + i] as number, values[start + j] as number) || i - j);
    for (let i = 0; i < n; i++) out[start + i] = order[i] as number;
  }
}

function compare(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a < b ? -1 : a > b ? 1 : 0;
}
