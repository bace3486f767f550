import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { evaluationsTable } from "./evaluations-table.js";
import { secondOrderPictures } from "./second-order-pictures.js";

const docs = new URL("../../../docs/", import.meta.url);

it("the page on second order has the table that the methods give", async () => {
  const [, table] = readFileSync(new URL("second-order.md", docs), "utf8").split(
    /^<!-- (?:evaluations|end) -->$/m,
  );
  expect(table?.trim()).toBe(await evaluationsTable());
});

it("the page's pictures are those that the optimizers' ways give", async () => {
  for (const [name, svg] of Object.entries(await secondOrderPictures())) {
    expect(readFileSync(new URL(`pictures/${name}`, docs), "utf8") === svg, `${name} is as written`).toBe(
      true,
    );
  }
});
