import { parseArgs } from "node:util";

export const help = `Measures Gradus beside TensorFlow.js (wasm), jax-js (jit) and, where python3 has it, PyTorch.

  pnpm bench [options]
  pnpm bench --browser [options]

With --browser it measures training steps in one Chromium: Gradus, TensorFlow.js and jax-js on the processor, by WebGPU and
by WebGL.

  --only REGEX    workloads whose name matches
  --libs REGEX    libraries whose name matches: gradus, tfjs, jax, torch, and wasm, loops written by hand
  --rounds N      how often each is measured, in turns (5)
  --threads N     threads for those who can use them (1)
  --browser       in Chromium; libraries are then named with their device, such as gradus-webgpu
  --json          print one line per measurement instead of a table
  --help          print this
`;

export interface BenchOptions {
  readonly help: boolean;
  readonly browser: boolean;
  readonly json: boolean;
  readonly only: RegExp;
  readonly libs: RegExp;
  readonly rounds: number;
  readonly threads: number;
}

/** A mistake of the user: its message is all there is to print. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function benchOptions(args: readonly string[]): BenchOptions {
  const values = parse(args);
  return {
    help: values.help === true,
    browser: values.browser === true,
    json: values.json === true,
    only: pattern("only", values.only),
    libs: pattern("libs", values.libs),
    rounds: count("rounds", values.rounds ?? "5"),
    threads: count("threads", values.threads ?? "1"),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        libs: { type: "string" },
        rounds: { type: "string" },
        threads: { type: "string" },
        browser: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}. See --help`);
  }
}

function pattern(name: string, text = ""): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`--${name}: "${text}" is not a regular expression`);
  }
}

function count(name: string, text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1)
    throw new UsageError(`--${name}: expected a whole number of at least 1, got "${text}"`);
  return n;
}
