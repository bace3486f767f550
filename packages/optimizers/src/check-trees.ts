import {
  checkSameStructure,
  computeDType,
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isFloat,
  isTensor,
  type Path,
  type RuleContext,
  type RuleState,
  type Shape,
  sameShape,
  type Tensor,
} from "@gradus/core";

/** Throws unless there is something to optimize, and only float tensors. */
export function checkParams(
  rule: string,
  params: unknown,
  check?: (path: Path, param: Tensor) => void,
): void {
  const { leaves, paths } = flattenTree(params);
  const tensors = leaves.filter(isTensor);
  if (tensors.length === 0) {
    fail("invalid-argument", `${rule}: the parameter tree is empty: it has no tensors`);
  }
  leaves.forEach((leaf, i) => {
    if (!isTensor(leaf)) return;
    if (isFloat(leaf.dtype)) {
      check?.(paths[i] as Path, leaf);
      return;
    }
    fail(
      "dtype-mismatch",
      `${rule}: parameter ${formatPath(paths[i] as Path)} is ${leaf.dtype}, which has no gradient. ` +
        'Keep it out of the parameters, or give it the label "frozen" in partition()',
    );
  });
}

/** Throws if the state says that it is another rule's. */
export function checkOwner<P>(rule: string, state: RuleState<P>): void {
  if (state.rule === undefined || state.rule === rule) return;
  fail(
    "tree-mismatch",
    `${rule}: the state at (root) is that of ${state.rule}. Call init() of the rule that goes on with it`,
  );
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
  shapes: { readonly [S in Slot]?: (shape: Shape) => Shape } = {},
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
    checkLike(`${rule}: the state's ${name}`, params, slot, shapes[name]);
  }
  for (const name of Object.keys(state.slots)) {
    if ((names as readonly string[]).includes(name)) continue;
    fail(
      "tree-mismatch",
      `${rule}: the state has the slot ${name}, which the rule does not keep (it keeps ${names.join(", ") || "none"}). ` +
        "It belongs to another rule, or to other options: call init()",
    );
  }
  return state.slots as Readonly<Record<Slot, P>>;
}

/** Throws unless `actual` has the structure of `params`, and its tensors their dtypes and shapes, or what `shapeOf` says. */
export function checkLike(
  what: string,
  params: unknown,
  actual: unknown,
  shapeOf: (shape: Shape) => Shape = same,
): void {
  checkSameStructure(params, actual, what);
  const { leaves, paths } = flattenTree(params);
  const other = leafAt(actual);
  leaves.forEach((leaf, i) => {
    if (!isTensor(leaf)) return;
    const path = paths[i] as Path;
    const found = other(path, i);
    const expected = shapeOf(leaf.shape);
    if (!sameShape(expected, found.shape)) {
      fail(
        "shape-mismatch",
        `${what}: ${formatPath(path)} has shape ${formatShape(found.shape)}, ` +
          `${expected === leaf.shape ? "its parameter" : "expected"} ${formatShape(expected)}`,
      );
    }
    // What is not one number for each of the parameter's may be in the dtype that f16 is computed in.
    const isOther = shapeOf !== same && found.dtype === computeDType(leaf.dtype);
    if (found.dtype !== leaf.dtype && !isOther) {
      fail("dtype-mismatch", `${what}: ${formatPath(path)} is ${found.dtype}, its parameter ${leaf.dtype}`);
    }
  });
}

function same(shape: Shape): Shape {
  return shape;
}

/** The tensors of a tree by their paths; `i` is where it is if keys come in the same order. */
function leafAt(tree: unknown): (path: Path, i: number) => Tensor {
  const { leaves, paths } = flattenTree(tree);
  const samePath = (a: Path, b: Path): boolean => a.every((key, i) => key === b[i]);
  return (path, i) => {
    const at = samePath(path, paths[i] as Path) ? i : paths.findIndex((other) => samePath(path, other));
    return leaves[at] as Tensor;
  };
}
