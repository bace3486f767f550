import {
  type Aval,
  axisIndex,
  fail,
  formatShape,
  inputAt,
  isFloat,
  normalizeAxis,
  type Op,
  promote,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { everyBatched } from "../batching/every-batched.js";
import { asGradusTensor } from "../gradus-tensor.js";
import { pickBody } from "./pick-body.js";
import { checkPositions } from "./positions.js";
import { takeRows } from "./rows.js";

interface AxisAttrs {
  readonly axis: number;
}

const gatherOp: Op<AxisAttrs> = {
  name: "gather",

  infer: ([x, index]) => [{ shape: (index as Aval).shape, dtype: (x as Aval).dtype }],

  lower([x, index], { axis }) {
    const { shape, dtype } = x as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `gather ${dtype} ${rank} ${axis}`,
      body: () => {
        const own = Array.from({ length: rank }, (_, d) => axisIndex(d));
        return pickBody("gather", dtype, rank, axis, inputAt(1, "i32", own));
      },
      sizes: (index as Aval).shape,
      params: [shape[axis] as number],
    };
  },

  vjp: ({ cotangents: [dy], inputs: [x, index], attrs: { axis } }) => [
    (x as Tensor).zerosLike().scatterAdd(axis, index as Tensor, dy as Tensor),
    undefined,
  ],
};

const scatterAddOp: Op<AxisAttrs> = {
  name: "scatterAdd",

  infer: ([x]) => [{ shape: (x as Aval).shape, dtype: (x as Aval).dtype }],

  lower([x, index], { axis }) {
    const { dtype, shape } = x as Aval;
    return {
      kind: "native",
      key: `scatterAdd ${dtype} ${shape.length} ${axis}`,
      kernel: () => ({
        kind: "native",
        native: "scatterAdd",
        name: "scatterAdd",
        inputs: [dtype, "i32", dtype],
        outputs: [dtype],
        params: [],
        attrs: { axis },
      }),
      sizes: [...shape, ...(index as Aval).shape],
    };
  },

  batch: (context) => ({ inputs: everyBatched(context), attrs: { axis: context.attrs.axis + 1 } }),

  vjp: ({ cotangents: [dy], inputs: [, index], attrs: { axis } }) => [
    dy,
    undefined,
    (dy as Tensor).gather(axis, index as Tensor),
  ],
};

/**
 * Picks elements along an axis: `out[i][j] = x[index[i][j]][j]` for axis 0. The index has the result's shape; its other
 * sizes may be smaller than x's.
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  const at = checkIndex("gather", x, axis, index);
  if (x.ndim === 0) return gather(x.reshape([1]), 0, index.reshape([1])).reshape([]);
  return applyOne(gatherOp, [x, index], { axis: at });
}

/** `x` with `source[p]` added at `index[p]` along an axis, for every position p of the index, in order. */
export function scatterAdd(x: Tensor, axis: number, index: Tensor, source: Tensor): Tensor {
  asGradusTensor("scatterAdd", source);
  const at = checkIndex("scatterAdd", x, axis, index);
  if (source.ndim !== index.ndim || index.shape.some((n, k) => n > (source.shape[k] as number))) {
    fail(
      "shape-mismatch",
      `scatterAdd: the source ${formatShape(source.shape)} does not cover the index ${formatShape(index.shape)}`,
    );
  }
  const dtype = promote(x.dtype, source.dtype);
  const numbers = dtype === "bool" ? "i32" : dtype;
  if (x.ndim === 0) return scatterAdd(x.reshape([1]), 0, index.reshape([1]), source.reshape([1])).reshape([]);
  const covered = source.slice(...index.shape.map((n) => [0, n] as const));
  return applyOne(scatterAddOp, [x.cast(numbers), index, covered.cast(numbers)], { axis: at });
}

function checkIndex(op: string, x: Tensor, axis: number, index: Tensor): number {
  asGradusTensor(op, index);
  if (isFloat(index.dtype))
    fail("dtype-mismatch", `${op}: the index must be i32, got ${index.dtype}. Convert it: index.cast("i32")`);
  if (index.ndim !== x.ndim) {
    fail(
      "shape-mismatch",
      `${op}: the index must have the tensor's ${x.ndim} axes, got ${formatShape(index.shape)} for ${formatShape(x.shape)}`,
    );
  }
  const at = x.ndim === 0 ? 0 : normalizeAxis(op, axis, x.ndim);
  const wide = index.shape.findIndex((n, k) => k !== at && n > (x.shape[k] as number));
  if (wide >= 0) {
    fail(
      "shape-mismatch",
      `${op}: the index ${formatShape(index.shape)} is larger than the tensor ${formatShape(x.shape)} along axis ${wide}`,
    );
  }
  checkPositions(op, index, x.ndim === 0 ? 1 : (x.shape[at] as number), at);
  return at;
}

/** Class indices as rows with a one at the class, i32. Throws `index-out-of-range` for other classes. */
export function oneHot(x: Tensor, classes: number): Tensor {
  if (isFloat(x.dtype))
    fail("dtype-mismatch", `oneHot: class indices must be i32, got ${x.dtype}. Convert them: x.cast("i32")`);
  if (!Number.isInteger(classes) || classes < 1) {
    fail(
      "invalid-argument",
      `oneHot: the number of classes must be a whole number of at least 1, got ${classes}`,
    );
  }
  checkPositions("oneHot", x, classes, x.ndim);
  const range = x.engine.arange(0, classes, 1, { device: x.device });
  // Where values cannot be looked at now, taking each class from the list of classes reports those that are none.
  const isChecked = !x.traced && x.device.readSync !== undefined;
  const known = isChecked ? x : takeRows(range, 0, x.cast("i32").reshape([x.size])).reshape(x.shape);
  return known.unsqueeze(-1).eq(range).cast("i32");
}
