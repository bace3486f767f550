import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, it } from "vitest";

it.each(["{ threads: 2 }", "{ worker: true }"])(
  "cpu(%s) does not keep the process alive",
  async (options) => {
    const folder = await mkdtemp(join(tmpdir(), "gradus-exit-"));
    try {
      const { outputFiles } = await build({
        stdin: {
          contents: `
          import { ones, setDefaultDevice } from "@gradus/tensor";
          import { cpu } from "./cpu.js";
          setDefaultDevice(await cpu(${options}));
          let x = ones([400, 400]);
          for (let k = 0; k < 40; k++) x = x.matmul(x).mul(1 / 400);
          console.log((await x.read())[0]);
        `,
          resolveDir: fileURLToPath(new URL("..", import.meta.url)),
          loader: "ts",
        },
        bundle: true,
        format: "esm",
        platform: "node",
        conditions: ["@gradus/source"],
        write: false,
      });
      const program = join(folder, "program.mjs");
      await writeFile(program, outputFiles[0]?.contents as Uint8Array);
      // It fails if it has to be killed.
      const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
      expect(Number(stdout)).toBeCloseTo(1, 3);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
