import { cpu } from "@gradus/backend-cpu";
import { gpu } from "@gradus/backend-gpu";
import { type Backend, interpreter } from "@gradus/core";
import { UsageError } from "./schema/values.js";

export interface OracleBackend {
  readonly device: Backend;
  /** Whether float64 cases are computed in float32, and compared as such. */
  readonly single: boolean;
}

type Open = (threads: number | undefined) => OracleBackend | Promise<OracleBackend>;

const backends: Readonly<Record<string, Open>> = {
  interpreter: () => ({ device: interpreter(), single: false }),
  "interpreter-f32": () => ({ device: interpreter({ precision: "float32" }), single: true }),
  cpu: async (threads) => ({
    device: await cpu(threads === undefined ? {} : { threads }),
    single: true,
  }),
  gpu: async () => ({ device: await openGpu(), single: true }),
};

/** The graphics card, by the npm package `webgpu`: Node has no WebGPU of its own. */
async function openGpu(): Promise<Backend> {
  const { create } = await import("webgpu");
  return await gpu({ gpu: create([]) as GPU });
}

export const backendNames: readonly string[] = Object.keys(backends);

/** @param threads how many threads compute, for backends that have some */
export async function backendOf(name: string, threads?: number): Promise<OracleBackend> {
  const open = Object.hasOwn(backends, name) ? backends[name] : undefined;
  if (open === undefined) {
    throw new UsageError(`--backend ${name}: unknown backend. There are: ${backendNames.join(", ")}`);
  }
  if (threads !== undefined && name !== "cpu") {
    throw new UsageError(`--threads: the backend ${name} has no threads, cpu has`);
  }
  return await open(threads);
}
