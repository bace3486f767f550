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
      ways[way] ??= [{ module: loopModule(kernel, alongGrid), entry: ENTRY, parts: partsOf(kernel) }];
      return ways[way];
    },
  };
}

/** Points that are worth a thread: some microseconds of the cheapest work. */
const SHARE = 16384;

/** A loop is split along its first grid axis. */
function partsOf({ grid }: LoopKernel): Phase["parts"] {
  if (grid === 0) return () => 1;
  return (sizes) => {
    const points = sizes.reduce((a, b) => a * b, 1);
    return Math.max(1, Math.min(sizes[0] as number, Math.floor(points / SHARE)));
  };
}
