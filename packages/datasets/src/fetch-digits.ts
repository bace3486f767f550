import { classification } from "./classification.js";
import type { Classification } from "./dataset.js";

/** The digits, as `digits()` gives them, for pages: their files are fetched. */
export async function fetchDigits(): Promise<Classification> {
  const text = async (url: URL): Promise<string> => (await fetch(url)).text();
  const [csv, splits] = await Promise.all([
    text(new URL("../data/digits.csv", import.meta.url)),
    text(new URL("../data/splits.json", import.meta.url)),
  ]);
  return classification("digits", { csv, splits });
}
