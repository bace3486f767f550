import type { Rule, Schedule } from "@gradus/core";
import { linear, relu, sequential } from "@gradus/nn";
import { adam, adamw, cosine } from "@gradus/optimizers";

export interface Recipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  readonly schedule: "constant" | "cosine";
  readonly optimizer: "adam" | "adamw";
  readonly weightDecay: number;
  /** Between what its accuracy on the test rows should be, and how that is known. */
  readonly expected: { readonly low: number; readonly high: number; readonly source: string };
}

export type RecipeName = "default" | "reference";

export const recipes: Readonly<Record<RecipeName, Recipe>> = {
  // Chosen by choose-recipe.ts on the training rows alone: docs/decisions/0003-demo-recipe.md.
  default: {
    epochs: 30,
    batchSize: 32,
    lr: 1e-2,
    schedule: "cosine",
    optimizer: "adamw",
    weightDecay: 0.1,
    expected: { low: 0.955, high: 0.985, source: "97.0 % in 5-fold cross-validation on the training rows" },
  },
  reference: {
    epochs: 30,
    batchSize: 32,
    lr: 1e-3,
    schedule: "constant",
    optimizer: "adam",
    weightDecay: 0,
    expected: { low: 0.955, high: 0.962, source: "PyTorch: 95.6 to 96.1 % with seeds 0 to 4" },
  },
};

/** The network of all recipes; linear layers begin as in PyTorch. */
export function network() {
  return sequential(linear(64, 32), relu(), linear(32, 10));
}

/** The optimizer of a recipe, for a training of so many rows. */
export function optimizerOf(recipe: Recipe, rows: number): Rule {
  const steps = recipe.epochs * Math.ceil(rows / recipe.batchSize);
  const lr: Schedule = recipe.schedule === "cosine" ? cosine({ from: recipe.lr, steps }) : recipe.lr;
  return recipe.optimizer === "adam" ? adam({ lr }) : adamw({ lr, weightDecay: recipe.weightDecay });
}

/** A recipe in words: `AdamW, learning rate 0.003 along a cosine, weight decay 0.1, 30 epochs of batches of 32`. */
export function describeRecipe(recipe: Recipe): string {
  const { epochs, batchSize, lr, schedule, optimizer, weightDecay } = recipe;
  return [
    optimizer === "adam" ? "Adam" : "AdamW",
    `learning rate ${lr}${schedule === "cosine" ? " along a cosine" : ""}`,
    ...(weightDecay > 0 ? [`weight decay ${weightDecay}`] : []),
    `${epochs} epochs of batches of ${batchSize}`,
  ].join(", ");
}
