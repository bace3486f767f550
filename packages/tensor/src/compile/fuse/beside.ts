import { type Expr, substitution } from "@gradus/core";
import { sameOperand } from "../lower-trace.js";
import { type Cluster, type ClusterValue, isMap, mapValue } from "./cluster.js";

/** With more buffers than these a kernel goes through memory in too many places at once. */
const FEW_BUFFERS = 16;

/**
 * One cluster that computes what two maps of the same points do, neither of which reads the other, or undefined where they
 * do not go together: they must read something in common.
 */
export function beside(a: Cluster, b: Cluster): Cluster | undefined {
  if (!isMap(a) || !isMap(b) || a.sizes.join() !== b.sizes.join() || a.grid.join() !== b.grid.join())
    return undefined;
  const operands = [...a.operands];
  const operandOf = b.operands.map((operand) => {
    const found = operands.findIndex((other) => sameOperand(other, operand));
    return found >= 0 ? found : operands.push(operand) - 1;
  });
  const isApart = operands.length === a.operands.length + b.operands.length;
  if (isApart || operands.length + a.values.size + b.values.size > FEW_BUFFERS) return undefined;
  const move: (e: Expr) => Expr = substitution((e) => {
    if (e.kind === "param") return { ...e, index: e.index + a.params.length };
    if (e.kind !== "input") return undefined;
    const read = { ...e, index: operandOf[e.index] as number, at: (e.at as readonly Expr[]).map(move) };
    return e.guard === undefined ? read : { ...read, guard: move(e.guard) };
  });
  const moved = [...b.values].map(([root, value]): [number, ClusterValue] => [root, mapValue(value, move)]);
  return {
    ...a,
    names: new Map([...a.names, ...b.names]),
    values: new Map([...a.values, ...moved]),
    params: [...a.params, ...b.params],
    operands,
  };
}
