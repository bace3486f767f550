import type { Tensor } from "@gradus/core";
import { inputTensors } from "../inputs.js";
import type { Lab } from "../lab.js";
import { Options } from "../options.js";
import type { MaybeTensors, OptionValues } from "../schema/cases.js";
import { unsupported } from "../unsupported.js";
import { activations } from "./activations.js";
import { convolution } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { indexing, waitingIndexing } from "./indexing.js";
import { linearAlgebra } from "./linear-algebra.js";
import { normalization } from "./normalization.js";
import type { Op, OpTable } from "./op.js";
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
  /** The same by a function that waits: where the result's shape depends on values that cannot be read at once. */
  readonly runWaiting?: (differentiated: Readonly<Record<string, Tensor>>) => Promise<readonly Tensor[]>;
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
  const call = <R>(
    translate: (...args: Parameters<Op>) => R,
    differentiated: Readonly<Record<string, Tensor>>,
  ): R => {
    const named = { ...given, ...differentiated };
    const read = new Options(options, op, lab);
    const outputs = translate(Object.values(named), read, named);
    read.finish();
    return outputs;
  };
  const waiting = Object.hasOwn(waitingIndexing, op) ? waitingIndexing[op] : undefined;
  const mustWait = Object.values(given).some((x) => x.device.readSync === undefined);
  return {
    inputs: given,
    run: (differentiated = {}) => listOf(call(translation, differentiated)),
    ...(waiting !== undefined &&
      mustWait && {
        runWaiting: async (differentiated) => listOf(await call(waiting, differentiated)),
      }),
  };
}

function listOf(outputs: Tensor | readonly Tensor[]): readonly Tensor[] {
  return Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
}
