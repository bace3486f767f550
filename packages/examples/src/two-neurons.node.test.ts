import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { twoNeurons } from "./two-neurons.js";

const file = new URL("../../../docs/two-neurons.svg", import.meta.url);

// After a change that is meant: UPDATE_PICTURES=1 npx vitest run two-neurons
it("the picture in the documentation is the one that graph() draws", () => {
  const svg = `${twoNeurons().toSVG({ title: "Two neurons and their gradient" })}\n`;
  if (process.env.UPDATE_PICTURES !== undefined) writeFileSync(file, svg);
  expect(readFileSync(file, "utf8")).toBe(svg);
});
