import { fail, type Shape } from "@gradus/core";
import { fans } from "./fans.js";

export interface HeOptions {
  /**
   * Which variance is kept: that of the values going forward (`fanIn`, default) or of the gradients
   * (`fanOut`).
   */
  readonly mode?: "fanIn" | "fanOut";
  /** The slope of the rectifier that follows, for negative values. Default 0, that of `relu`. */
  readonly slope?: number;
}

/** The standard deviation `sqrt(2 / (1 + slope^2) / fan)`. */
export function heStd(initializer: string, shape: Shape, options: HeOptions): number {
  const { mode = "fanIn", slope = 0 } = options;
  if (mode !== "fanIn" && mode !== "fanOut") {
    fail("invalid-argument", `${initializer}: mode must be "fanIn" or "fanOut", got ${JSON.stringify(mode)}`);
  }
  if (!Number.isFinite(slope)) {
    fail("invalid-argument", `${initializer}: slope must be a finite number, got ${slope}`);
  }
  return Math.sqrt(2 / (1 + slope ** 2) / fans(initializer, shape)[mode]);
}
