import {
  differentiatingNode,
  fail,
  formatShape,
  type GradNode,
  sameShape,
  type Tensor,
  withOperandCast,
} from "@gradus/core";

/**
 * Reverse mode: the cotangents of `targets`, given those of `outputs`.
 *
 * Walks the recorded nodes from the latest to the earliest, only through those that lead to a target, and computes with
 * ordinary operations; so what it returns can be differentiated again. A target that the outputs do not depend on gets
 * `undefined`.
 */
export function pullback(
  outputs: readonly Tensor[],
  cotangents: readonly (Tensor | undefined)[],
  targets: readonly Tensor[],
): (Tensor | undefined)[] {
  const goals = new Set(targets.map((x) => x.history?.node).filter((node) => node !== undefined));
  const order = nodesBetween(outputs, goals);
  const useful = usefulNodes(order, goals);
  const received = new Map<GradNode, (Tensor | undefined)[]>();

  const give = (x: Tensor, cotangent: Tensor | undefined): void => {
    if (cotangent === undefined || x.history === undefined || !useful.has(x.history.node)) return;
    const { node, output } = x.history;
    const slots = received.get(node) ?? new Array<Tensor | undefined>(node.values.length).fill(undefined);
    const before = slots[output];
    slots[output] = before === undefined ? cotangent : before.add(cotangent);
    received.set(node, slots);
  };

  outputs.forEach((y, i) => {
    give(y, cotangents[i]);
  });
  for (const node of order) {
    const slots = received.get(node);
    if (slots === undefined || goals.has(node)) continue;
    received.delete(node);
    const needs = node.inputs.map((x) => x.history !== undefined && useful.has(x.history.node));
    const goBack = (): void => {
      const shares = node.vjp(slots, needs);
      node.inputs.forEach((x, i) => {
        if (needs[i] === true) give(x, checkCotangent(node, x, shares[i]));
      });
    };
    // The way back has the dtypes of the way there.
    withOperandCast(undefined, () => differentiatingNode(node, goBack));
  }
  return targets.map((x) =>
    x.history === undefined ? undefined : received.get(x.history.node)?.[x.history.output],
  );
}

/** The nodes from the outputs back to the goals, latest first. */
function nodesBetween(outputs: readonly Tensor[], goals: ReadonlySet<GradNode>): GradNode[] {
  const earliest = Math.min(...[...goals].map((node) => node.id));
  const found = new Set<GradNode>();
  const pending: (GradNode | undefined)[] = outputs.map((y) => y.history?.node);
  while (pending.length > 0) {
    const node = pending.pop();
    // What was recorded before every goal cannot depend on one.
    if (node === undefined || node.id < earliest || found.has(node)) continue;
    found.add(node);
    if (!goals.has(node)) for (const x of node.inputs) pending.push(x.history?.node);
  }
  return [...found].sort((a, b) => b.id - a.id);
}

/** The nodes through which a goal is reached. */
function usefulNodes(order: readonly GradNode[], goals: ReadonlySet<GradNode>): Set<GradNode> {
  const useful = new Set<GradNode>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i] as GradNode;
    const leads = node.inputs.some((x) => x.history !== undefined && useful.has(x.history.node));
    if (goals.has(node) || leads) useful.add(node);
  }
  return useful;
}

function checkCotangent(node: GradNode, x: Tensor, cotangent: Tensor | undefined): Tensor | undefined {
  if (cotangent === undefined || (sameShape(cotangent.shape, x.shape) && cotangent.dtype === x.dtype))
    return cotangent;
  return fail(
    "shape-mismatch",
    `${node.name}: its gradient returned ${cotangent.dtype}${formatShape(cotangent.shape)} for an input of ${x.dtype}${formatShape(x.shape)}: a cotangent has its input's shape and dtype`,
  );
}
