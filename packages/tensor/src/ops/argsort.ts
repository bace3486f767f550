import { type Aval, type Op, sizeOf, type Tensor } from "@gradus/core";
import { applyOne } from "../apply.js";

const argsortOp: Op<{ readonly descending: boolean }> = {
  name: "argsort",
  infer: ([x]) => [{ shape: (x as Aval).shape, dtype: "i32" }],
  lower([x], { descending }) {
    const { dtype, shape } = x as Aval;
    return {
      kind: "native",
      key: `argsort ${dtype} ${descending}`,
      kernel: () => ({
        kind: "native",
        native: "argsort",
        name: "argsort",
        inputs: [dtype],
        outputs: ["i32"],
        params: [],
        attrs: { descending },
      }),
      sizes: [sizeOf(shape.slice(0, -1)), shape.at(-1) ?? 1],
    };
  },
  batch: ({ inputs, attrs }) => ({ inputs, attrs }),
};

/** The stable order of the last axis. */
export function argsortLast(x: Tensor, descending = false): Tensor {
  return applyOne(argsortOp, [x], { descending });
}
