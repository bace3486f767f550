import { accuracy, crossEntropy } from "@gradus/losses";
import { type Data, type FitOptions, fit } from "@gradus/train";
import { network, optimizerOf, type Recipe } from "./recipes.js";

/** Trains the network by a recipe. `options` are passed on to `fit`. */
export function trainDigits(
  recipe: Recipe,
  data: { readonly train: Data; readonly validation?: Data },
  options: Pick<FitOptions, "seed" | "signal" | "progress"> = {},
) {
  const { train, validation } = data;
  return fit(network(), {
    loss: crossEntropy,
    optimizer: optimizerOf(recipe, train.x.shape[0] as number),
    train,
    ...(validation !== undefined && { validation }),
    epochs: recipe.epochs,
    batchSize: recipe.batchSize,
    metrics: { accuracy },
    ...options,
  });
}
