import {
  fail,
  flattenTree,
  formatPath,
  isTensor,
  mapTreeWithPath,
  type Path,
  type Rule,
  type RuleContext,
  type RuleState,
  scalar,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { checkLike, checkOwner } from "./check-trees.js";
import { frozen } from "./frozen.js";
import { joinVariants, variantOf } from "./variant.js";

/** The parameters of one label, by their paths as text: `0.weight`. */
type Part = Readonly<Record<string, Tensor>>;

/**
 * Several rules, each for a part of the parameters: other hyper-parameters for some (PyTorch's parameter
 * groups), other rules, or a frozen backbone.
 *
 * @param rules The rule of each label. The label `frozen` is there without saying so.
 * @param labelOf The label of the parameter at a path such as `["0", "weight"]`; pure. A label without
 * parameters is fine.
 * @throws `invalid-argument` for a label that has no rule and for an empty parameter tree; `update` throws
 * `tree-mismatch` or `shape-mismatch`, naming the path.
 *
 * @example
 * ```ts
 * import { adamw, applyUpdates, partition, sgd } from "@gradus/optimizers";
 * import { tensor } from "@gradus/tensor";
 * const rule = partition({ slow: sgd({ lr: 0.01 }), fast: sgd({ lr: 0.1 }) }, ([layer]) =>
 *   layer === "backbone" ? "frozen" : layer === "neck" ? "slow" : "fast",
 * );
 * const params = { backbone: tensor(1), neck: tensor(1), head: tensor(1) };
 * const { updates } = rule.update(params, rule.init(params), { params });
 * const next = applyUpdates(params, updates);
 * console.log(next.backbone, next.neck, next.head); // → Tensor f32[] 1 Tensor f32[] 0.99 Tensor f32[] 0.9
 * ```
 */
export function partition(rules: Readonly<Record<string, Rule>>, labelOf: (path: Path) => string): Rule {
  const known: Readonly<Record<string, Rule>> = { frozen: frozen(), ...rules };
  const labels = Object.keys(known);

  function labelAt(path: Path): string {
    const label = labelOf(path);
    if (Object.hasOwn(known, label)) return label;
    return fail(
      "invalid-argument",
      `partition: parameter ${formatPath(path)} has the label ${JSON.stringify(label)}, which has no rule: ` +
        `there are ${labels.join(", ")}`,
    );
  }

  /** The tensors of a tree, by label and path; only labels that have some, in the order of the rules. */
  function split(tree: unknown): Map<string, Part> {
    const parts = new Map(labels.map((label) => [label, new Map<string, Tensor>()]));
    const names = new Set<string>();
    const { leaves, paths } = flattenTree(tree);
    leaves.forEach((leaf, i) => {
      if (!isTensor(leaf)) return;
      const path = paths[i] as Path;
      const name = formatPath(path);
      if (names.has(name)) fail("tree-mismatch", `partition: two parameters have the path ${name}`);
      names.add(name);
      parts.get(labelAt(path))?.set(name, leaf);
    });
    const used = [...parts].filter(([, part]) => part.size > 0);
    return new Map(used.map(([label, part]) => [label, Object.fromEntries(part)]));
  }

  /** `whole` with the tensors of `part` in their places. */
  function merge<P>(whole: P, part: Part): P {
    return mapTreeWithPath(whole, (path, leaf) => part[formatPath(path)] ?? leaf);
  }

  const name = `partition(${Object.entries(rules)
    .map(([label, rule]) => `${label}: ${rule.name}`)
    .join(", ")})`;

  /** What an inner rule may use, as if its part were all there is. */
  function contextOf<P>(context: RuleContext<P>, label: string, part: Part): RuleContext<Part> {
    const { params, key, loss, valueAndGrad, hvp, variant } = context;
    const pick = (tree: P): Part => split(tree).get(label) as Part;
    const zeros = (): P => mapTreeWithPath(params, (_, p) => p.zerosLike());
    return {
      params: part,
      ...(key !== undefined && { key: key.foldIn(labels.indexOf(label)) }),
      ...(loss !== undefined && { loss }),
      ...variantOf("partition", variant, label),
      ...(hvp !== undefined && { hvp: (vector) => pick(hvp(merge(zeros(), vector))) }),
      ...(valueAndGrad !== undefined && {
        valueAndGrad: (at) => {
          const [value, grads] = valueAndGrad(merge(params, at));
          return [value, pick(grads)];
        },
      }),
    };
  }

  function innerState<P>(state: RuleState<P>, label: string): RuleState<Part> {
    const inner = state.inner?.[label];
    if (inner !== undefined) return inner as RuleState<Part>;
    return fail(
      "tree-mismatch",
      `partition: the state has no part for the label ${label}. ` +
        "It belongs to another rule, or labels have changed: call init()",
    );
  }

  const evalParams = <P>(params: P, state: RuleState<P>): P => {
    const parts = [...split(params)].map(
      ([label, part]) => known[label]?.evalParams?.(part, innerState(state, label)) ?? part,
    );
    return merge(params, Object.assign({}, ...parts));
  };

  const variant = <P>(state: RuleState<P>): string => {
    const parts = Object.keys(state.inner ?? {}).map((label) => [
      label,
      known[label]?.variant?.(innerState(state, label)),
    ]);
    return joinVariants(Object.fromEntries(parts)) ?? "{}";
  };

  const observe = <P>(state: RuleState<P>, metric: number): RuleState<P> => {
    const inner = Object.keys(state.inner ?? {}).map((label) => {
      const before = innerState(state, label);
      return [label, known[label]?.observe?.(before, metric) ?? before];
    });
    return { ...state, inner: Object.fromEntries(inner) };
  };

  return {
    name,

    init(params) {
      if (tensorsOf(params).length === 0) {
        fail("invalid-argument", "partition: the parameter tree is empty: it has no tensors");
      }
      const inner = [...split(params)].map(([label, part]) => [label, (known[label] as Rule).init(part)]);
      return { rule: name, step: scalar(0), slots: {}, inner: Object.fromEntries(inner) };
    },

    update<P>(grads: P, state: RuleState<P>, context: RuleContext<P>) {
      checkOwner(name, state);
      checkLike("partition: the gradients", context.params, grads);
      const gradsOf = split(grads);
      const inner: Record<string, RuleState> = {};
      const updates: Record<string, Tensor> = {};
      for (const [label, part] of split(context.params)) {
        const rule = known[label] as Rule;
        const next = rule.update(
          gradsOf.get(label) as Part,
          innerState(state, label),
          contextOf(context, label, part),
        );
        Object.assign(updates, next.updates);
        inner[label] = next.state;
      }
      return {
        updates: merge(context.params, updates),
        state: { rule: name, step: state.step.map((t) => t + 1), slots: {}, inner },
      };
    },

    hyper: (state) =>
      Object.fromEntries(
        Object.keys(state.inner ?? {}).flatMap((label) => {
          const hyper = known[label]?.hyper?.(innerState(state, label)) ?? {};
          return Object.entries(hyper).map(([name, value]) => [`${label}.${name}`, value]);
        }),
      ),

    ...(Object.values(rules).some((rule) => rule.evalParams !== undefined) && { evalParams }),
    ...(Object.values(rules).some((rule) => rule.variant !== undefined) && { variant }),
    ...(Object.values(rules).some((rule) => rule.observe !== undefined) && { observe }),
  };
}
