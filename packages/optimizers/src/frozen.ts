import { mapTree, type Rule, type RuleState, scalar } from "@gradus/core";

/**
 * The rule that changes nothing: updates of zero, and no memory for moments. In {@link partition} it is what
 * the label `frozen` stands for.
 *
 * @example
 * ```ts
 * import { frozen } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = frozen();
 * const params = { w: tensor([1, 2]) };
 * const { updates } = rule.update({ w: tensor([3, 4]) }, rule.init(params), { params });
 * console.log(updates.w); // → Tensor f32[2] [0, 0]
 * ```
 */
export function frozen(): Rule {
  return {
    name: "frozen",
    init: () => ({ rule: "frozen", step: scalar(0), slots: {} }),
    update: <P>(_: P, state: RuleState<P>, { params }: { readonly params: P }) => ({
      updates: mapTree(params, (p) => p.zerosLike()),
      state: { rule: "frozen", step: state.step.map((t) => t + 1), slots: {} },
    }),
    hyper: () => ({}),
  };
}
