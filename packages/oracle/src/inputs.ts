import type { Tensor } from "@gradus/core";
import type { Lab } from "./lab.js";
import type { MaybeTensors } from "./schema/cases.js";

/** The tensors of a case's inputs, by name; not those that are null. */
export function inputTensors(inputs: MaybeTensors, lab: Lab): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, golden] of Object.entries(inputs))
    if (golden !== null) tensors[name] = lab.tensor(golden);
  return tensors;
}

/** Those of the tensors that have an entry in `others`: a gradient, a tangent. */
export function differentiated(
  tensors: Readonly<Record<string, Tensor>>,
  others: MaybeTensors,
): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => (others[name] ?? null) !== null));
}
