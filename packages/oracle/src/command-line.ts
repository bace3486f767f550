import { UsageError } from "./schema/values.js";

export interface CommandLine {
  readonly paths: readonly string[];
  readonly backend: string;
  /** How many threads the cpu computes with; undefined: as many as the machine has. */
  readonly threads: number | undefined;
  readonly only: RegExp | undefined;
  /** Do not count what is not supported. */
  readonly supported: boolean;
  /** Print every failure. */
  readonly all: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

export const help = `pnpm oracle [DIR|FILE ...] [options]

Runs golden files (schema oracle-golden/1) against Gradus: files, or all in a directory. Without one, those of
packages/oracle/golden. Exit code 1 if a case failed, 2 for a wrong command line or file. The last line is
"N passed, N failed"; a case is one id.

  --backend NAME  interpreter (the default); interpreter-f32, cpu or gpu: all floats in float32
  --threads N     how many threads cpu computes with (as many as the machine has)
  --only REGEX    the cases whose id, or file:section:id, matches
  --supported     do not count cases that nothing here supports; they are listed
  --all           print every failure, not the first 20 of each file
  --list          print what is translated
  --help          print this`;

/** Parses arguments. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const paths: string[] = [];
  const found = {
    backend: "interpreter",
    threads: undefined as number | undefined,
    only: undefined as RegExp | undefined,
  };
  const flags = { supported: false, all: false, list: false, help: false };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const [name = "", attached] = arg.startsWith("--") ? split(arg) : [];
    const value = (): string => attached ?? args[++i] ?? fail(`${name} needs a value`);
    if (name === "") {
      if (arg.startsWith("-")) fail(`unknown option ${arg}`);
      paths.push(arg);
    } else if (name === "--backend") found.backend = value();
    else if (name === "--threads") found.threads = count(name, value());
    else if (name === "--only") found.only = pattern(value());
    else if (name.slice(2) in flags && attached === undefined)
      flags[name.slice(2) as keyof typeof flags] = true;
    else fail(name.slice(2) in flags ? `${name} takes no value` : `unknown option ${arg}`);
  }
  return { paths, ...found, ...flags };
}

/** `--name=value` in two. */
function split(arg: string): [name: string, value?: string] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg] : [arg.slice(0, at), arg.slice(at + 1)];
}

function count(name: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  return fail(`${name} must be a whole number of at least 1, got ${JSON.stringify(text)}`);
}

function pattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    return fail(`--only ${source}: ${(error as Error).message}`);
  }
}

function fail(message: string): never {
  throw new UsageError(`${message}. Try --help`);
}
