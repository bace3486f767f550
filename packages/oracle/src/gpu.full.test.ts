import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { oracle } from "./oracle.js";

const golden = fileURLToPath(new URL("../golden/", import.meta.url));

it("all golden files pass on the graphics card, at the tolerance of float32", async () => {
  const out: string[] = [];
  const code = await oracle(["--backend", "gpu", "--all"], {
    folder: golden,
    goldenFolder: golden,
    out: (line) => out.push(line),
    err: () => undefined,
  });
  expect([code, out.at(-1)]).toEqual([0, expect.stringMatching(/^\d{3,} passed, 0 failed$/)]);
});
