import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { evaluationsTable } from "./evaluations-table.js";
import { secondOrderPictures } from "./second-order-pictures.js";

// Writes what docs/second-order.md shows: node tooling/run.mjs examples write-second-order

const docs = new URL("../../../docs/", import.meta.url);
mkdirSync(new URL("pictures/", docs), { recursive: true });
for (const [name, svg] of Object.entries(await secondOrderPictures())) {
  writeFileSync(new URL(`pictures/${name}`, docs), svg);
}
const page = new URL("second-order.md", docs);
const [before, , after] = readFileSync(page, "utf8").split(/^<!-- (?:evaluations|end) -->$/m);
writeFileSync(page, `${before}<!-- evaluations -->\n\n${await evaluationsTable()}\n\n<!-- end -->${after}`);
