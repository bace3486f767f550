import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import type { AnyWorker } from "./remote.js";

let program: Promise<string> | undefined;

/** A worker of Node that runs the sources of `worker.ts`. */
export async function nodeWorker(): Promise<AnyWorker> {
  program ??= bundle();
  return new Worker(await program, { eval: true }) as unknown as AnyWorker;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("./worker.ts", import.meta.url))],
    conditions: ["@gradus/source"],
    bundle: true,
    format: "cjs",
    platform: "node",
    write: false,
  });
  return (outputFiles[0] as (typeof outputFiles)[0]).text;
}
