import { type Program, programOf, toCode, withDType } from "@gradus/fuzz";
import { setDefaultDevice } from "@gradus/tensor";
import { checkProgram, device } from "./check.fixture.js";
import { shrink } from "./shrink.fixture.js";

/** `GRADUS_FUZZ_SEED`, in Node. */
const environment = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env;
const chosen = environment?.GRADUS_FUZZ_SEED;

export interface FuzzReport {
  readonly programs: number;
  /** How many of them were compared with float64. */
  readonly compared: number;
}

/**
 * Checks random programs, the seeds counting up from `first`, and throws at the first that fails: with its seed, and the
 * smallest program that fails the same way. The environment variable GRADUS_FUZZ_SEED picks one seed.
 */
export function fuzz(first: number, programs: number, kind: Kind = "as they are"): FuzzReport {
  setDefaultDevice(device);
  if (chosen !== undefined) return { programs: 1, compared: Number(checkSeed(Number(chosen), kind)) };
  let compared = 0;
  for (let seed = first; seed < first + programs; seed++) compared += Number(checkSeed(seed, kind));
  return { programs, compared };
}

/** Programs, or what becomes of them with f16 where they say f32, or where they say f64. */
export type Kind = "as they are" | "f16 for f32" | "f16 for f64";

function programOfKind(seed: number, kind: Kind): Program {
  const program = programOf(seed, device);
  if (kind === "as they are") return program;
  return withDType(program, kind === "f16 for f32" ? "f32" : "f64", "f16");
}

function checkSeed(seed: number, kind: Kind): boolean {
  const program = programOfKind(seed, kind);
  const { problem, compared } = checkProgram(program);
  if (problem === undefined) return compared;
  const smallest = shrink(program, (candidate) => checkProgram(candidate).problem !== undefined);
  throw new Error(
    [
      `seed ${seed}: ${problem}`,
      `Again: GRADUS_FUZZ_SEED=${seed} npx vitest run --project node packages/autograd/src/fuzz.test.ts`,
      `The smallest program that fails (${checkProgram(smallest).problem?.split("\n")[0]}):`,
      toCode(smallest),
      ...(smallest.donate ? ["(its arguments are donated)"] : []),
    ].join("\n\n"),
  );
}
