import { fail, flattenTree, formatPath, isTensor, type Path, type RuleState } from "@gradus/core";

/**
 * Throws if a rule that is {@link guarded} has met gradients that are not finite since its state was made: for the steps of
 * a compiled function, after them or now and then. It reads one number of each parameter.
 *
 * @throws `non-finite`, naming the parameters; `tree-mismatch` for the state of a rule that is not guarded.
 *
 * @example
 * ```ts
 * import { checkFinite, guarded, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = guarded(sgd({ lr: 1 }));
 * const params = { w: tensor([1, 2]) };
 * const { state } = rule.update(params, rule.init(params), { params });
 * await checkFinite(state); // all were
 * ```
 */
export async function checkFinite<P>(state: RuleState<P>): Promise<void> {
  const counts = state.slots.nonFinite;
  if (counts === undefined) {
    fail("tree-mismatch", "checkFinite: the state has no slot nonFinite: it is not that of a guarded() rule");
  }
  const { leaves, paths } = flattenTree(counts);
  const read = await Promise.all(leaves.map(async (leaf) => (isTensor(leaf) ? (await leaf.read())[0] : 0)));
  const met = read.flatMap((count, i) =>
    count === 0 ? [] : [`${formatPath(paths[i] as Path)} (${count} times)`],
  );
  if (met.length === 0) return;
  fail("non-finite", `checkFinite: gradients were NaN or infinite: ${met.join(", ")}. ${nonFiniteMend}`);
}

export const nonFiniteMend =
  'Lower the learning rate, clip the gradients, or leave such updates out: nonFinite: "skip"';
