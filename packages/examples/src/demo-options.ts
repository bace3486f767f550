import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { cpu } from "@gradus/backend-cpu";
import { type Backend, interpreter } from "@gradus/core";
import { type Recipe, type RecipeName, recipes } from "./recipes.js";

/** The devices that --backend may name. */
const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = { cpu, interpreter };

export const help = `Trains a small network (64-32-10) on handwritten digits and shows how well it does.

  npx -y pnpm@10 demo [options]

  --recipe NAME      default: chosen by cross-validation on the training rows
                     reference: PyTorch's default initialisation, Adam, 30 epochs
  --epochs N         how often to go over the training rows
  --batch-size N     rows per step
  --lr X             the learning rate, or where its schedule begins
  --validation       hold every tenth training row out, and show the loss on them too
  --seed N           decides initial weights and the order of rows (0)
  --backend NAME     where to compute: ${Object.keys(backends).join(", ")} (cpu)
  --out FILE         where to write the checkpoint (digits.gradus)
  --json             print the result as JSON in the last line
  --help             print this
`;

export interface DemoOptions {
  readonly help: boolean;
  readonly json: boolean;
  readonly validation: boolean;
  readonly recipeName: RecipeName;
  /** The recipe, with what the command line changes. */
  readonly recipe: Recipe;
  /** The options that change the recipe. */
  readonly changed: readonly string[];
  readonly seed: number;
  readonly backend: string;
  /** Opens the device. */
  readonly open: () => Backend | Promise<Backend>;
  /** An absolute path. */
  readonly out: string;
}

/** A mistake of the user: its message is all there is to print. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function demoOptions(args: readonly string[]): DemoOptions {
  const values = parse(args);
  const recipeName = oneOf("recipe", values.recipe ?? "default", recipes);
  const backend = oneOf("backend", values.backend ?? "cpu", backends);
  const changes = {
    ...(values.epochs !== undefined && { epochs: count("epochs", values.epochs) }),
    ...(values["batch-size"] !== undefined && { batchSize: count("batch-size", values["batch-size"]) }),
    ...(values.lr !== undefined && { lr: positive("lr", values.lr) }),
  };
  return {
    help: values.help === true,
    json: values.json === true,
    validation: values.validation === true,
    recipeName,
    recipe: { ...recipes[recipeName], ...changes },
    changed: (["epochs", "batch-size", "lr", "validation"] as const).filter(
      (name) => values[name] !== undefined,
    ),
    seed: wholeNumber("seed", values.seed ?? "0"),
    backend,
    open: backends[backend] as () => Backend | Promise<Backend>,
    out: writable(values.out ?? "digits.gradus"),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        recipe: { type: "string" },
        epochs: { type: "string" },
        "batch-size": { type: "string" },
        lr: { type: "string" },
        seed: { type: "string" },
        backend: { type: "string" },
        out: { type: "string" },
        json: { type: "boolean" },
        validation: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\n|\. /);
    throw new UsageError(`${sentence?.replace(/\.$/, "")}. --help lists the options`);
  }
}

function oneOf<Name extends string>(
  option: string,
  value: string,
  table: Readonly<Record<Name, unknown>>,
): Name {
  if (Object.hasOwn(table, value)) return value as Name;
  throw new UsageError(
    `--${option} must be one of: ${Object.keys(table).join(", ")}. Got ${JSON.stringify(value)}`,
  );
}

function count(option: string, text: string): number {
  const value = toNumber(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--${option} must be a whole number of at least 1, got ${JSON.stringify(text)}`);
}

function wholeNumber(option: string, text: string): number {
  const value = toNumber(text);
  if (Number.isSafeInteger(value)) return value;
  throw new UsageError(`--${option} must be a whole number, got ${JSON.stringify(text)}`);
}

function positive(option: string, text: string): number {
  const value = toNumber(text);
  if (value > 0 && value < Infinity) return value;
  throw new UsageError(`--${option} must be a number greater than 0, got ${JSON.stringify(text)}`);
}

/** NaN for what is no number, also for empty text, which `Number` takes as 0. */
function toNumber(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

/** Finds out before the training, not after it, that the checkpoint cannot be written. */
function writable(path: string): string {
  const absolute = resolve(path);
  try {
    accessSync(dirname(absolute), constants.W_OK);
  } catch {
    throw new UsageError(`--out: cannot write to the folder ${dirname(absolute)}`);
  }
  if (path === "" || statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new UsageError(`--out must be a file, got ${JSON.stringify(path)}`);
  }
  return absolute;
}
