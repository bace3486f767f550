import {
  contiguousLayout,
  currentObserver,
  differentiatedNode,
  type Op,
  type OpEvent,
  observing,
} from "@gradus/core";
import { levelCeiling } from "./batching/batch-map.js";
import { flopsOf } from "./compile/flops.js";
import type { GradusTensor } from "./gradus-tensor.js";
import { realise } from "./lowering/realise.js";

/** Tells the observer, if there is one, what was computed. */
export function notify<A>(
  name: string,
  op: Op<A> | undefined,
  inputs: readonly GradusTensor[],
  attrs: A,
  outputs: readonly GradusTensor[],
): void {
  const observer = currentObserver();
  // Within an operation on all examples of a map: its user sees the operation on one.
  if (observer?.operation === undefined || levelCeiling() !== Number.POSITIVE_INFINITY) return;
  const node = differentiatedNode();
  const lowered = () => op?.lower(inputs.map(contiguousLayout), attrs, outputs);
  const event: OpEvent = {
    name,
    ...(op && { op: op as Op<never>, attrs }),
    inputs,
    outputs,
    ...(node && { gradientOf: node }),
    examples: (x) => examplesIn(x as GradusTensor),
    isView: () => lowered()?.kind === "view",
    flops: () => {
      const how = lowered();
      if (how === undefined || how.kind === "view") return 0;
      const { build, sizes } = realise(how, inputs.map(contiguousLayout), outputs);
      return flopsOf(build(), sizes);
    },
  };
  observing({}, () => observer.operation?.(event));
}

function examplesIn(x: GradusTensor): GradusTensor {
  return x.value.kind === "batched" ? examplesIn(x.value.of) : x;
}

export function notifyAlias(source: GradusTensor, alias: GradusTensor): void {
  if (levelCeiling() === Number.POSITIVE_INFINITY) currentObserver()?.alias?.(source, alias);
}
