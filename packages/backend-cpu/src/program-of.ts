import type { Kernel } from "@gradus/core";
import { contractProgram } from "./contract.js";
import { loopProgram } from "./loop-program.js";
import { nativeProgram } from "./natives.js";
import type { Program } from "./program.js";

/** What runs a kernel. */
export function programOf(kernel: Kernel): Program {
  switch (kernel.kind) {
    case "loop":
      return loopProgram(kernel);
    case "contract":
      return contractProgram(kernel);
    case "native":
      return nativeProgram(kernel);
  }
}

/** How many sizes a launch of it brings; undefined where the native decides. */
export function axesOf(kernel: Kernel): number | undefined {
  if (kernel.kind === "native") return undefined;
  if (kernel.kind === "loop") return kernel.axes;
  const { batch, m, n, k } = kernel.groups;
  return batch + m + n + k;
}
