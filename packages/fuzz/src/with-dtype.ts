import type { DType } from "@gradus/core";
import { type Argument, isSource, type Program, Ref } from "./program.js";

/** The program with the dtype `to` wherever it says `from`. */
export function withDType(program: Program, from: DType, to: DType): Program {
  const changed = (argument: Argument): Argument => {
    if (argument === from) return to;
    if (argument instanceof Ref || typeof argument !== "object" || argument === null) return argument;
    if (Array.isArray(argument)) return argument.map(changed);
    return Object.fromEntries(
      Object.entries(argument).map(([key, part]) => [key, changed(part as Argument)]),
    );
  };
  return {
    ...program,
    nodes: program.nodes.map((node) => {
      if (isSource(node)) return node.dtype === from ? { ...node, dtype: to } : node;
      return { ...node, args: node.args.map(changed) };
    }),
  };
}
