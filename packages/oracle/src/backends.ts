import { cpu } from "@gradus/backend-cpu";
import { type Backend, interpreter } from "@gradus/core";
import { UsageError } from "./schema/values.js";

export interface OracleBackend {
  readonly device: Backend;
  /** Whether float64 cases are computed in float32, and compared as such. */
  readonly single: boolean;
}

const backends: Readonly<Record<string, () => OracleBackend | Promise<OracleBackend>>> = {
  interpreter: () => ({ device: interpreter(), single: false }),
  "interpreter-f32": () => ({ device: interpreter({ precision: "float32" }), single: true }),
  cpu: async () => ({ device: await cpu(), single: true }),
};

export const backendNames: readonly string[] = Object.keys(backends);

export async function backendOf(name: string): Promise<OracleBackend> {
  const make = Object.hasOwn(backends, name) ? backends[name] : undefined;
  if (make !== undefined) return await make();
  throw new UsageError(`--backend ${name}: unknown backend. There are: ${backendNames.join(", ")}`);
}
