import type { Backend } from "@gradus/core";
import { programOf, toCode, withDType } from "@gradus/fuzz";
import { checkProgram, reference } from "./check-program.fixture.js";

/**
 * Checks random programs on a device, the seeds counting up from `first`; returns how many could be compared as a whole.
 *
 * @param half what f16 takes the place of, if it is to be used
 */
export async function fuzz(
  device: Backend,
  first: number,
  programs: number,
  half?: "f32" | "f64",
): Promise<number> {
  let compared = 0;
  for (let seed = first; seed < first + programs; seed++) {
    const made = programOf(seed, reference);
    const program = withDType(half === undefined ? made : withDType(made, half, "f16"), "f64", "f32");
    const checked = await checkProgram(program, device);
    if (checked.problem !== undefined) {
      throw new Error(`seed ${seed}: ${checked.problem}\n\n${toCode(program)}`);
    }
    compared += Number(checked.compared);
  }
  return compared;
}
