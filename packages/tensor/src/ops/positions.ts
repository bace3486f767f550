import { calculus as c, fail, isFloat, type Tensor } from "@gradus/core";
import { pointwise } from "../elementwise.js";
import { asGradusTensor } from "../gradus-tensor.js";
import { dataOf } from "../host.js";

/** Throws unless `index` holds whole numbers. */
export function checkWhole(op: string, index: Tensor): void {
  asGradusTensor(op, index);
  if (isFloat(index.dtype))
    fail("dtype-mismatch", `${op}: the index must be i32, got ${index.dtype}. Convert it: index.cast("i32")`);
}

/**
 * Where values can be looked at without waiting, an index out of range is an error here and now. With `fromEnd` the indices
 * may also count from the end.
 */
export function checkPositions(op: string, index: Tensor, size: number, axis: number, fromEnd = false): void {
  if (index.traced || index.device.readSync === undefined) return;
  const values = dataOf(asGradusTensor(op, index));
  const least = fromEnd ? -size : 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < least || value >= size) {
      fail(
        "index-out-of-range",
        `${op}: index ${value} (at position ${i}) is outside of axis ${axis}, which has size ${size}`,
      );
    }
  }
}

/** Indices that may count from the end as those from the front, i32. */
export function fromFront(index: Tensor, size: number): Tensor {
  return pointwise("fromFront", "bits", [index.cast("i32"), size], (i, n) =>
    c.where(c.less(i, 0), c.add(i, n), i),
  );
}
