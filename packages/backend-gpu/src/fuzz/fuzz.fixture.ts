import type { Backend } from "@gradus/core";
import { type Argument, isSource, type Program, programOf, Ref, toCode } from "@gradus/fuzz";
import { checkProgram, reference } from "./check-program.fixture.js";

/** Checks random programs on a device, the seeds counting up from `first`; returns how many could be compared as a whole. */
export async function fuzz(device: Backend, first: number, programs: number): Promise<number> {
  let compared = 0;
  for (let seed = first; seed < first + programs; seed++) {
    const program = inSinglePrecision(programOf(seed, reference));
    const checked = await checkProgram(program, device);
    if (checked.problem !== undefined) {
      throw new Error(`seed ${seed}: ${checked.problem}\n\n${toCode(program)}`);
    }
    compared += Number(checked.compared);
  }
  return compared;
}

/** The program with f32 wherever it says f64. */
export function inSinglePrecision(program: Program): Program {
  return {
    ...program,
    nodes: program.nodes.map((node) => {
      if (isSource(node)) return node.dtype === "f64" ? { ...node, dtype: "f32" } : node;
      return { ...node, args: node.args.map(single) };
    }),
  };
}

function single(argument: Argument): Argument {
  if (argument === "f64") return "f32";
  if (argument instanceof Ref || typeof argument !== "object" || argument === null) return argument;
  if (Array.isArray(argument)) return argument.map(single);
  return Object.fromEntries(Object.entries(argument).map(([key, part]) => [key, single(part as Argument)]));
}
