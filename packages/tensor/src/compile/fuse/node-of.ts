import {
  type ContractLowering,
  type Expr,
  type LoopLowering,
  type LoweredWrite,
  postOrder,
  substitution,
} from "@gradus/core";
import type { KernelNode } from "../lower-trace.js";
import { type Cluster, type ClusterValue, exprsOf } from "./cluster.js";
import { Printer } from "./print.js";

/** A cluster as a node: what nobody wants is left out, and the rest is numbered without gaps. */
export function nodeOf(cluster: Cluster, isWanted: (root: number) => boolean): KernelNode {
  const values = [...cluster.values].filter(([root]) => isWanted(root));
  const { contraction } = cluster;
  const stages = usedStages(
    cluster,
    values.map(([, value]) => value),
  );
  const roots = [
    ...stages.map((i) => (cluster.stages[i] as { value: Expr }).value),
    ...(contraction === undefined ? [] : [contraction.a, contraction.b]),
    ...values.flatMap(([, value]) => exprsOf(value)),
    ...cluster.checks.map(({ holds }) => holds),
  ];
  const used = postOrder(roots);
  const gridAxes = contraction
    ? [...contraction.groups.batch, ...contraction.groups.m, ...contraction.groups.n]
    : cluster.grid;
  const others = [
    ...stages.flatMap((i) => cluster.stages[i]?.over ?? []),
    ...(contraction?.groups.k ?? []),
    ...values.flatMap(([, { over }]) => over),
    ...cluster.checks.flatMap(({ over }) => over),
  ];
  const axes = [...new Set([...gridAxes, ...others])];
  const params = numbered(used.flatMap((e) => (e.kind === "param" ? [e.index] : [])));
  const operands = numbered(used.flatMap((e) => (e.kind === "input" ? [e.index] : [])));
  const move: (e: Expr) => Expr = substitution((e) => {
    switch (e.kind) {
      case "axis":
      case "size":
        return { ...e, axis: axes.indexOf(e.axis) };
      case "param":
        return { ...e, index: params.indexOf(e.index) };
      case "stage":
        return contraction === undefined ? { ...e, index: stages.indexOf(e.index) } : e;
      case "input": {
        const read = { ...e, index: operands.indexOf(e.index), at: (e.at as readonly Expr[]).map(move) };
        return e.guard === undefined ? read : { ...read, guard: move(e.guard) };
      }
      default:
        return undefined;
    }
  });
  const over = (list: readonly number[]): number[] => list.map((axis) => axes.indexOf(axis));
  const writes = values.map(
    ([, value]): LoweredWrite => ({
      over: over(value.over),
      value: move(value.expr),
      ...(value.flat === undefined ? { at: (value.at ?? []).map(move) } : { flat: move(value.flat) }),
    }),
  );
  const shared = {
    name: nameOf(cluster.names),
    params: params.map((i) => (cluster.params[i] as Cluster["params"][number]).dtype),
  };
  const sizes = axes.map((axis) => cluster.sizes[axis] as number);
  const numbers = params.map((i) => (cluster.params[i] as Cluster["params"][number]).value);
  const lowered =
    contraction === undefined
      ? loops(
          {
            ...shared,
            grid: gridAxes.length,
            stages: stages.map((i) => {
              const stage = cluster.stages[i] as Cluster["stages"][number];
              return { ...stage, over: over(stage.over), value: move(stage.value) };
            }),
            writes,
            ...(cluster.checks.length > 0 && {
              checks: cluster.checks.map((check) => ({
                ...check,
                over: over(check.over),
                holds: move(check.holds),
              })),
            }),
          },
          sizes,
          numbers,
        )
      : contract(
          {
            ...shared,
            groups: {
              batch: contraction.groups.batch.length,
              m: contraction.groups.m.length,
              n: contraction.groups.n.length,
              k: contraction.groups.k.length,
            },
            a: move(contraction.a),
            b: move(contraction.b),
            accumulate: contraction.accumulate,
            writes: writes.map(({ over: _, ...write }) => write),
          },
          sizes,
          numbers,
        );
  const operandsUsed = operands.map((i) => cluster.operands[i] as Cluster["operands"][number]);
  const avals = values.map(([, { aval }]) => aval);
  return {
    name: shared.name,
    lowered,
    operands: operandsUsed,
    outputs: values.map(([root]) => root),
    avals,
  };
}

function loops(
  body: ReturnType<LoopLowering["body"]>,
  sizes: readonly number[],
  params: LoopLowering["params"],
): LoopLowering {
  return { kind: "loops", key: new Printer().loops(body), body: () => body, sizes, params };
}

function contract(
  body: ReturnType<ContractLowering["body"]>,
  sizes: readonly number[],
  params: ContractLowering["params"],
): ContractLowering {
  return { kind: "contract", key: new Printer().contract(body), body: () => body, sizes, params };
}

/** The stages that the values and checks need, in order. */
function usedStages({ stages, contraction, checks }: Cluster, values: readonly ClusterValue[]): number[] {
  if (contraction !== undefined) return [];
  const used = new Set<number>();
  const visit = (roots: readonly Expr[]): void => {
    for (const e of postOrder(roots)) {
      if (e.kind !== "stage" || used.has(e.index)) continue;
      used.add(e.index);
      visit([(stages[e.index] as { value: Expr }).value]);
    }
  };
  visit([...values.flatMap(exprsOf), ...checks.map(({ holds }) => holds)]);
  return [...used].sort((a, b) => a - b);
}

function numbered(indices: readonly number[]): number[] {
  return [...new Set(indices)].sort((a, b) => a - b);
}

const MAX_NAME = 48;

/** The names of what was joined, in order, each once; the first and the last of many. */
function nameOf(names: ReadonlyMap<number, string>): string {
  const inOrder = [...names].sort(([a], [b]) => a - b).map(([, name]) => name);
  const each = [...new Set(inOrder)];
  const whole = each.join("+");
  return whole.length <= MAX_NAME ? whole : `${each[0]}+..+${each.at(-1)}`;
}
