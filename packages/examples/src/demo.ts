import { isGradusError } from "@gradus/core";
import { countParameters } from "@gradus/nn";
import { key, setDefaultDevice } from "@gradus/tensor";
import type { Data } from "@gradus/train";
import { confusion, confusionTable } from "./confusion-table.js";
import { type DemoOptions, demoOptions, help, UsageError } from "./demo-options.js";
import { digitsData } from "./digits-data.js";
import { lossChart } from "./loss-chart.js";
import { describeRecipe, network } from "./recipes.js";
import { trainDigits } from "./train-digits.js";

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  // A message is all that helps, unless it is a mistake of this program.
  const expected = error instanceof UsageError || isGradusError(error);
  console.error(expected ? `demo: ${error.message}` : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const options = demoOptions(args);
  if (options.help) {
    console.log(help);
    return 0;
  }
  const { recipe, seed, backend, out } = options;
  setDefaultDevice(await options.open());
  const data = digitsData(options);
  const { train, validation, test } = data;
  const rows = test.x.shape[0] as number;
  console.log(introduction(options, train, validation, rows));

  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => controller.abort());

  const begin = performance.now();
  const run = await trainDigits(recipe, data, { seed, signal: controller.signal });
  const seconds = (performance.now() - begin) / 1000;
  const score = await run.evaluate(test);
  const predicted = run.predict(test.x).argmax(-1);
  const counts = confusion(test.y.data(), predicted.data(), 10);
  const right = counts.reduce((sum, row, i) => sum + (row[i] as number), 0);
  await run.save(out);

  const percent = ((100 * right) / rows).toFixed(2);
  const time = `${seconds.toFixed(1)} s`;
  console.log(
    `\ntest accuracy ${percent} % (${right} of ${rows}), loss ${score.loss.toFixed(4)}, trained in ${time}`,
  );
  if (run.stopped === "aborted") console.log(`stopped after ${run.epoch} of ${recipe.epochs} epochs`);
  console.log(`\n${confusionTable(counts)}\n\nloss`);
  console.log(
    lossChart([
      { name: "train", values: run.history.map((log) => log.train.loss), mark: "line" },
      ...(validation === undefined
        ? []
        : [
            {
              name: "validation",
              values: run.history.map((log) => log.validation?.loss ?? Number.NaN),
              mark: "o",
            } as const,
          ]),
    ]),
  );
  if (validation === undefined)
    console.log("         all training rows are trained on; --validation holds some out for a second curve");
  console.log(`\ncheckpoint: ${out}`);
  if (options.json) {
    const result = { accuracy: right / rows, loss: score.loss, seconds, epochs: run.epoch, backend, seed };
    console.log(JSON.stringify(result));
  }
  return run.stopped === "aborted" ? 130 : 0;
}

/** What is going to happen, and what to expect of it. */
function introduction(
  { recipe, recipeName, changed, backend }: DemoOptions,
  train: Data,
  validation: Data | undefined,
  testRows: number,
): string {
  const [trained, held] = [train.x.shape[0], validation?.x.shape[0] ?? 0];
  const validated = held > 0 ? `, ${held} of the training rows for validation` : "";
  const flags = changed.map((name) => `--${name}`).join(", ");
  const { low, high, source } = recipe.expected;
  const percent = (share: number): string => (100 * share).toFixed(1);
  const but = changed.length > 0 ? `; that is without ${flags}` : "";
  return [
    `handwritten digits, 8 x 8 pixels: ${trained} to train with${validated}, ${testRows} to test with`,
    `network 64-32-10, ${countParameters(network().init(key(0)).params)} parameters, on the ${backend}`,
    `recipe ${recipeName}: ${describeRecipe(recipe)}`,
    `expected test accuracy: ${percent(low)} to ${percent(high)} % (${source})${but}`,
    "",
  ].join("\n");
}
