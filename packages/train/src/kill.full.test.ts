import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mse } from "@gradus/losses";
import { linear, sequential } from "@gradus/nn";
import { adam } from "@gradus/optimizers";
import { ones } from "@gradus/tensor";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fit, loadRun } from "./index.js";

// A training that saves all the time is killed at random moments. Its file must always be a whole one.

const KILLS = 25;
const SIZE = 256;

const program = `
  import { mse } from "@gradus/losses";
  import { linear, sequential } from "@gradus/nn";
  import { adam } from "@gradus/optimizers";
  import { ones } from "@gradus/tensor";
  import { checkpoint, fit } from "./index.js";
  import { existsSync } from "node:fs";
  const [path] = process.argv.slice(2);
  const train = { x: ones([2, ${SIZE}]), y: ones([2, ${SIZE}]) };
  await fit(sequential(linear(${SIZE}, ${SIZE}), linear(${SIZE}, ${SIZE})), {
    loss: mse, optimizer: adam(), train, epochs: 1e6, progress: false,
    callbacks: [checkpoint({ path }), { name: "tell", onEpochEnd: () => void process.stdout.write(".") }],
    ...(existsSync(path) && { resume: path }),
  });
`;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gradus-kill-"));
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "node",
    conditions: ["@gradus/source"],
    write: false,
  });
  await writeFile(join(folder, "train.mjs"), outputFiles[0]?.contents as Uint8Array);
});
afterAll(() => rm(folder, { recursive: true }));

it("a run killed in the middle of saving leaves a file that can be loaded and resumed", async () => {
  const path = join(folder, "run.gradus");
  const model = sequential(linear(SIZE, SIZE), linear(SIZE, SIZE));
  let before = 0;
  for (let i = 0; i < KILLS; i++) {
    const child = spawn(process.execPath, [join(folder, "train.mjs"), path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    child.kill("SIGKILL");
    await once(child, "exit");
    if (!existsSync(path)) continue;
    const loaded = await loadRun(model, path);
    expect(loaded.epoch).toBeGreaterThanOrEqual(before);
    before = loaded.epoch;
  }
  expect(before).toBeGreaterThan(0);
  const train = { x: ones([2, SIZE]), y: ones([2, SIZE]) };
  const options = { loss: mse, optimizer: adam(), train, progress: false };
  expect((await fit(model, { ...options, epochs: before + 1, resume: path })).epoch).toBe(before + 1);
});
