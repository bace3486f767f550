import { resolve } from "node:path";
import { setDefaultDevice } from "@gradus/tensor";
import { backendOf } from "./backends.js";
import { help, parseCommandLine } from "./command-line.js";
import { Lab } from "./lab.js";
import { listLines } from "./list.js";
import { type CaseResult, countsOf, reportLines, totalLine } from "./report.js";
import { runCase } from "./run-case.js";
import { type GoldenCase, readGoldenFiles } from "./schema/golden-file.js";
import { UsageError } from "./schema/values.js";

export interface Surroundings {
  /** Where relative paths start. */
  readonly folder: string;
  /** What is run if nothing is named. */
  readonly goldenFolder: string;
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

/** The program: runs what the arguments say and returns the exit code. */
export async function oracle(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await run(args, surroundings);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    surroundings.err(`oracle: ${error.message}`);
    return 2;
  }
}

async function run(
  args: readonly string[],
  { folder, goldenFolder, out, err }: Surroundings,
): Promise<number> {
  const options = parseCommandLine(args);
  if (options.help) {
    out(help);
    return 0;
  }
  if (options.list) {
    for (const line of listLines()) out(line);
    return 0;
  }
  const { device, single } = await backendOf(options.backend, options.threads);
  const paths =
    options.paths.length === 0 ? [goldenFolder] : options.paths.map((path) => resolve(folder, path));
  const files = readGoldenFiles(paths, err);
  const chosen = files.map((file) => ({
    file,
    cases: file.cases.filter((golden) => isChosen(options.only, file.name, golden)),
  }));
  if (chosen.every(({ cases }) => cases.length === 0)) {
    throw new UsageError(
      options.only === undefined ? "there are no cases" : `--only ${options.only.source}: no case matches`,
    );
  }

  setDefaultDevice(device);
  try {
    const results: CaseResult[] = [];
    for (const { file, cases } of chosen) {
      if (cases.length === 0) continue;
      const lab = new Lab(single, file.tolerance);
      const own: CaseResult[] = [];
      for (const golden of cases) own.push({ golden, outcome: await runCase(golden, lab) });
      for (const line of reportLines(file.name, own, options)) out(line);
      results.push(...own);
    }
    const total = countsOf(results, options);
    out(totalLine(total));
    return total.failed > 0 ? 1 : 0;
  } finally {
    setDefaultDevice(undefined);
    await device.dispose();
  }
}

function isChosen(only: RegExp | undefined, file: string, { section, fields }: GoldenCase): boolean {
  return only === undefined || only.test(fields.id) || only.test(`${file}:${section}:${fields.id}`);
}
