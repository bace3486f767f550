import type { LoopKernel } from "@gradus/core";
import { gridPreference } from "./emit/loop-function.js";
import { ENTRY, loopModule } from "./emit/loop-module.js";
import type { Phase, PhasedProgram } from "./program.js";

/** A loop kernel: one phase, in one of two ways, each made when it is first used. */
export function loopProgram(kernel: LoopKernel): PhasedProgram {
  const ways: (readonly Phase[])[] = [];
  const prefersGrid = gridPreference(kernel);
  return {
    kind: "phases",
    phases(sizes) {
      const alongGrid = prefersGrid(sizes);
      const way = alongGrid ? 1 : 0;
      ways[way] ??= [{ module: loopModule(kernel, alongGrid), entry: ENTRY, parts: () => 1 }];
      return ways[way];
    },
  };
}
