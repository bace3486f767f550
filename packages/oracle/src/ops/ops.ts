import type { Tensor } from "@gradus/core";
import { inputTensors } from "../inputs.js";
import type { Lab } from "../lab.js";
import { Options } from "../options.js";
import type { MaybeTensors, OptionValues } from "../schema/cases.js";
import { unsupported } from "../unsupported.js";
import { activations } from "./activations.js";
import { convolution } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import { linearAlgebra } from "./linear-algebra.js";
import { normalization } from "./normalization.js";
import type { OpTable } from "./op.js";
import { recurrent } from "./recurrent.js";
import { reductions } from "./reductions.js";
import { shapes } from "./shapes.js";

/** The translated ops, by PyTorch's name. */
export const ops: OpTable = {
  ...elementwise,
  ...activations,
  ...reductions,
  ...linearAlgebra,
  ...convolution,
  ...shapes,
  ...indexing,
  ...normalization,
  ...recurrent,
};

/** The outputs of a case's op as a function of those inputs that it is differentiated by. */
export interface OpCall {
  /** The inputs, by name; not those that are null. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  run(differentiated?: Readonly<Record<string, Tensor>>): readonly Tensor[];
}

export function opCall(
  {
    op,
    inputs,
    options,
  }: { readonly op: string; readonly inputs: MaybeTensors; readonly options: OptionValues },
  lab: Lab,
): OpCall {
  const translation = Object.hasOwn(ops, op) ? ops[op] : undefined;
  if (translation === undefined) return unsupported(op);
  const given = inputTensors(inputs, lab);
  return {
    inputs: given,
    run(differentiated = {}) {
      const named = { ...given, ...differentiated };
      const read = new Options(options, op, lab);
      const outputs = translation(Object.values(named), read, named);
      read.finish();
      return Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
    },
  };
}
