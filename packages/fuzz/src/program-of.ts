import type { Backend } from "@gradus/core";
import { scope } from "@gradus/tensor";
import { generate } from "./generate.js";
import type { Program } from "./program.js";
import { Random } from "./random.js";

/** The program of a seed. It is run on `device` while it is made. */
export function programOf(seed: number, device: Backend): Program {
  let program: Program | undefined;
  scope(() => {
    try {
      program = generate(new Random(seed), device);
    } catch (error) {
      throw new Error(`seed ${seed}: a step that must work does not`, { cause: error });
    }
  });
  return program as Program;
}
