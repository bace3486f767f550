import { interpreter } from "@gradus/core";
import { setDefaultDevice } from "@gradus/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digitsData } from "./digits-data.js";
import { type Recipe, recipes } from "./recipes.js";
import { trainDigits } from "./train-digits.js";

beforeAll(() => setDefaultDevice(interpreter()));
afterAll(() => setDefaultDevice(undefined));

/** The middle one of the test accuracies with seeds 0 to 4. */
async function medianAccuracy(recipe: Recipe): Promise<number> {
  const accuracies: number[] = [];
  for (let seed = 0; seed < 5; seed++) {
    const data = digitsData({ validation: false });
    const run = await trainDigits(recipe, data, { seed, progress: false });
    accuracies.push((await run.evaluate(data.test)).accuracy);
  }
  return accuracies.sort((a, b) => a - b)[2] as number;
}

describe("the recipes reach on the test rows", () => {
  it("reference: what PyTorch does, which is 95.6 to 96.1 %", async () => {
    expect(await medianAccuracy(recipes.reference)).toBeGreaterThanOrEqual(recipes.reference.expected.low);
  });

  it("default: what it promises, or more", async () => {
    expect(await medianAccuracy(recipes.default)).toBeGreaterThanOrEqual(recipes.default.expected.low);
  });
});
