import { GradusError } from "@gradus/core";
import type { Run } from "./run.js";

/**
 * A training that met NaN or infinity: a GradusError with the code "non-finite". `run` has the parameters from before the
 * bad update and can predict, be saved, and be resumed.
 */
export class NonFiniteError extends GradusError {
  constructor(
    message: string,
    readonly run: Run,
  ) {
    super("non-finite", message);
  }
}
