import { affineIn, type Expr, postOrder } from "@gradus/core";

/** How many loads of an expression are not of neighbours, or of one element, along an axis. */
export function stridedLoads(root: Expr, axis: number): number {
  return postOrder([root]).filter((e) => {
    if (e.kind !== "load") return false;
    const stride = affineIn(e.index, axis)?.stride;
    return stride?.kind !== "const" || stride.value < 0 || stride.value > 1;
  }).length;
}
