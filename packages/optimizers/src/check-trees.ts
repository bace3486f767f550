import {
  checkSameStructure,
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isFloat,
  isTensor,
  type Path,
  type RuleContext,
  type RuleState,
  sameShape,
  type Tensor,
} from "@gradus/core";

/** Throws unless there is something to optimize, and only float tensors. */
export function checkParams(rule: string, params: unknown): void {
  const { leaves, paths } = flattenTree(params);
  const tensors = leaves.filter(isTensor);
  if (tensors.length === 0) {
    fail("invalid-argument", `${rule}: the parameter tree is empty: it has no tensors`);
  }
  leaves.forEach((leaf, i) => {
    if (!isTensor(leaf) || isFloat(leaf.dtype)) return;
    fail(
      "dtype-mismatch",
      `${rule}: parameter ${formatPath(paths[i] as Path)} is ${leaf.dtype}, which has no gradient. ` +
        'Keep it out of the parameters, or give it the label "frozen" in partition()',
    );
  });
}

/**
 * The state's slots, after checking that gradients and slots have the structure and shapes of the parameters.
 *
 * @throws `tree-mismatch` or `shape-mismatch`, naming the path.
 */
export function checkUpdate<P, Slot extends string>(
  rule: string,
  grads: P,
  state: RuleState<P>,
  { params }: RuleContext<P>,
  names: readonly Slot[],
): Readonly<Record<Slot, P>> {
  checkLike(`${rule}: the gradients`, params, grads);
  for (const name of names) {
    const slot = state.slots[name];
    if (slot === undefined) {
      const known = Object.keys(state.slots).join(", ") || "no slots";
      fail(
        "tree-mismatch",
        `${rule}: the state has no slot ${name} (it has ${known}). ` +
          "It belongs to another rule, or to other options: call init()",
      );
    }
    checkLike(`${rule}: the state's ${name}`, params, slot);
  }
  return state.slots as Readonly<Record<Slot, P>>;
}

/** Throws unless `actual` has the structure of `params`, and its tensors their shapes. */
export function checkLike(what: string, params: unknown, actual: unknown): void {
  checkSameStructure(params, actual, what);
  const { leaves, paths } = flattenTree(params);
  const others = flattenTree(actual).leaves;
  leaves.forEach((leaf, i) => {
    const other = others[i] as Tensor;
    if (!isTensor(leaf) || sameShape(leaf.shape, other.shape)) return;
    fail(
      "shape-mismatch",
      `${what}: ${formatPath(paths[i] as Path)} has shape ${formatShape(other.shape)}, ` +
        `its parameter ${formatShape(leaf.shape)}`,
    );
  });
}
