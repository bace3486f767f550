import type { Cumulation } from "../../ir/kernel.js";
import { logAddExp } from "../../ir/special-functions.js";
import { checkLength } from "./check-length.js";
import type { NativeCall } from "./native.js";
import { checkNativeSizes } from "./native-sizes.js";

/** Running totals along the middle of three axes. See `NativeName` for the arguments. Floats accumulate in float64. */
export function cumulate(call: NativeCall): void {
  const { kernel, sizes } = call;
  checkNativeSizes(kernel, sizes);
  const [outer, n, inner] = sizes as [number, number, number];
  const values = checkLength(call, 0, outer * n * inner);
  const out = checkLength(call, 1, outer * n * inner);
  const op = kernel.attrs.op as Cumulation;
  const join = joins[kernel.outputs[0] === "i32" ? "i32" : "float"][op];
  for (let row = 0; row < outer * inner; row++) {
    const start = Math.floor(row / inner) * n * inner + (row % inner);
    let total = 0;
    let best = 0;
    for (let i = 0; i < n; i++) {
      const at = start + i * inner;
      const value = values[at] as number;
      if (join === undefined) {
        if (i === 0 || beats(op, value, best)) [total, best] = [i, value];
      } else total = i === 0 ? value : join(total, value);
      out[at] = total;
    }
  }
}

type Joins = Partial<Record<Cumulation, (total: number, value: number) => number>>;

const joins: Readonly<Record<"i32" | "float", Joins>> = {
  i32: { sum: (a, b) => (a + b) | 0, prod: Math.imul },
  float: { sum: (a, b) => a + b, prod: (a, b) => a * b, logsumexp: logAddExp },
};

function beats(op: Cumulation, value: number, best: number): boolean {
  if (Number.isNaN(value)) return true;
  return op === "argmax" ? value >= best : value <= best;
}
