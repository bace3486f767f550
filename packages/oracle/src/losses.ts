import type { Reduction, Tensor } from "@gradus/core";
import { bce, bceWithLogits, crossEntropy, mse } from "@gradus/losses";
import type { Lab } from "./lab.js";
import { Options } from "./options.js";
import type { OptionValues } from "./schema/cases.js";
import { unsupported } from "./unsupported.js";

/** A loss of PyTorch's in terms of this library: from its inputs, in order, and its constructor's options. */
type Translation = (inputs: readonly Tensor[], options: Options, reduction: Reduction) => Tensor;

export const losses: Readonly<Record<string, Translation>> = {
  MSELoss: ([input, target], _, reduction) => mse(input as Tensor, target as Tensor, { reduction }),
  BCELoss: ([input, target], options, reduction) =>
    bce(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
    }),
  BCEWithLogitsLoss: ([input, target], options, reduction) =>
    bceWithLogits(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
      ...tensorOption("posWeight", options.tensor("pos_weight")),
    }),
  CrossEntropyLoss: ([input, target], options, reduction) =>
    crossEntropy(input as Tensor, target as Tensor, {
      reduction,
      ...tensorOption("weight", options.tensor("weight")),
      ...(options.has("ignore_index") && { ignoreIndex: options.number("ignore_index") }),
      ...(options.has("label_smoothing") && { labelSmoothing: options.number("label_smoothing") }),
    }),
};

function tensorOption<Name extends string>(
  name: Name,
  value: Tensor | undefined,
): { readonly [K in Name]?: Tensor } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [K in Name]?: Tensor });
}

/** The loss of a name as a function of its inputs and the reduction. */
export function lossCall(
  name: string,
  options: OptionValues,
  lab: Lab,
): (inputs: readonly Tensor[], reduction: string) => Tensor {
  const translation = Object.hasOwn(losses, name) ? losses[name] : undefined;
  if (translation === undefined) return unsupported(name);
  return (inputs, reduction) => {
    if (reduction !== "none" && reduction !== "mean" && reduction !== "sum") {
      return unsupported(`${name} with reduction ${reduction}`);
    }
    const read = new Options(options, name, lab);
    read.ignore("reduction");
    const loss = translation(inputs, read, reduction);
    read.finish();
    return loss;
  };
}
