import type { Tensor } from "@gradus/core";
import { asGradusTensor } from "../gradus-tensor.js";
import { exampleOf, examplesOf, inMap, newMap } from "./batch-map.js";

/** What `f` makes of one example of each tensor, for all of them; see `Engine.batched`. */
export function batched(
  size: number,
  inputs: readonly Tensor[],
  f: (examples: readonly Tensor[]) => readonly Tensor[],
): readonly { readonly value: Tensor; readonly isBatched: boolean }[] {
  return inMap(newMap(size), (map) => {
    const results = f(inputs.map((x) => exampleOf(asGradusTensor("vmap", x), map)));
    return results.map((y) => {
      const all = examplesOf(asGradusTensor("vmap", y), map);
      return { value: all ?? y, isBatched: all !== undefined };
    });
  });
}
