import { interpreter } from "@gradus/core";
import { digits } from "@gradus/datasets";
import { key, setDefaultDevice } from "@gradus/tensor";
import { digitRows } from "./digits-data.js";
import { type Recipe, recipes } from "./recipes.js";
import { trainDigits } from "./train-digits.js";

// Chooses the demo's default recipe by 5-fold cross-validation on the training rows; the test rows are not touched.
// Prints a table for docs/decisions/0003-demo-recipe.md. Takes about ten minutes:
//   npx -y pnpm@10 exec node tooling/run.mjs examples choose-recipe

const FOLDS = 5;
const SEEDS = [0, 1];

setDefaultDevice(interpreter());
const dataset = digits();
const folds = splitIntoFolds();

const results: Result[] = [];
console.log("| epochs | learning rate | schedule | weight decay | accuracy | standard error | loss |");
console.log("|---|---|---|---|---|---|---|");
for (const recipe of grid()) {
  const result = await crossValidate(recipe);
  results.push(result);
  console.log(`| ${row(result)} |`);
}
const best = results.reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
// Differences within one standard error tell nothing: among those, the fewest epochs, and of these the most accurate.
const equal = results.filter(({ accuracy: a }) => a >= best.accuracy - best.error);
const fewest = Math.min(...equal.map(({ recipe }) => recipe.epochs));
const chosen = equal
  .filter(({ recipe }) => recipe.epochs === fewest)
  .reduce((a, b) => (b.accuracy > a.accuracy ? b : a));
console.log(`\nbest: ${row(best)}\nchosen: ${row(chosen)}`);

interface Result {
  readonly recipe: Recipe;
  /** Means over folds, each a mean over seeds. */
  readonly accuracy: number;
  readonly loss: number;
  /** The standard error of the accuracy, from the folds. */
  readonly error: number;
}

function* grid(): Generator<Recipe> {
  for (const epochs of [30, 60]) {
    for (const lr of [1e-3, 3e-3, 1e-2]) {
      for (const schedule of ["constant", "cosine"] as const) {
        for (const weightDecay of [0.01, 0.1, 1]) {
          yield { ...recipes.default, optimizer: "adamw", epochs, lr, schedule, weightDecay };
        }
      }
    }
  }
}

/** The training rows in a random order that is always the same, dealt out to the folds. */
function splitIntoFolds(): number[][] {
  const order = key(20).permutation(dataset.train.length).data();
  return Array.from({ length: FOLDS }, (_, fold) =>
    [...order].filter((_, i) => i % FOLDS === fold).map((i) => dataset.train[i] as number),
  );
}

async function crossValidate(recipe: Recipe): Promise<Result> {
  const scores: { readonly accuracy: number; readonly loss: number }[] = [];
  for (const [i, held] of folds.entries()) {
    const train = digitRows(dataset, folds.filter((_, j) => j !== i).flat());
    const validation = digitRows(dataset, held);
    const ofSeeds: { readonly accuracy: number; readonly loss: number }[] = [];
    for (const seed of SEEDS) {
      const run = await trainDigits(recipe, { train }, { seed, progress: false });
      ofSeeds.push(await run.evaluate(validation));
      run.dispose();
    }
    scores.push({
      accuracy: mean(ofSeeds.map((score) => score.accuracy)),
      loss: mean(ofSeeds.map((score) => score.loss)),
    });
  }
  const accuracies = scores.map((score) => score.accuracy);
  const center = mean(accuracies);
  const variance = accuracies.reduce((sum, a) => sum + (a - center) ** 2, 0) / (FOLDS - 1);
  return {
    recipe,
    accuracy: center,
    loss: mean(scores.map((s) => s.loss)),
    error: Math.sqrt(variance / FOLDS),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function row({ recipe, accuracy: a, error, loss }: Result): string {
  const { epochs, lr, schedule, weightDecay } = recipe;
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  return [epochs, lr, schedule, weightDecay, percent(a), percent(error), loss.toFixed(4)].join(" | ");
}
