import { type Expr, type LoopKernel, postOrder } from "@gradus/core";

/** For each stage of a kernel how many others, one after another, must be there before it. */
export function stageLevels({ stages }: LoopKernel): number[] {
  const levels: number[] = [];
  for (const { value } of stages) {
    levels.push(Math.max(0, ...stagesIn([value]).map((index) => (levels[index] as number) + 1)));
  }
  return levels;
}

/** The stages that expressions need. */
export function stagesIn(roots: readonly Expr[]): number[] {
  return postOrder(roots).flatMap((e) => (e.kind === "stage" ? e.index : []));
}
