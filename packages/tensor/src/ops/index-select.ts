import { fail, formatShape, normalizeAxis, type Tensor } from "@gradus/core";
import { checkPositions, checkWhole } from "./positions.js";
import { takeRows } from "./rows.js";

/** The rows of an axis that a vector of positions names, in that order. */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  checkWhole("indexSelect", index);
  if (index.ndim > 1)
    fail("shape-mismatch", `indexSelect: the index must be a vector, got ${formatShape(index.shape)}`);
  const at = normalizeAxis("indexSelect", axis, Math.max(1, x.ndim));
  if (x.ndim === 0) return indexSelect(x.reshape([1]), 0, index).reshape([]);
  checkPositions("indexSelect", index, x.shape[at] as number, at);
  return takeRows(x, at, index.reshape([-1]).cast("i32"));
}
