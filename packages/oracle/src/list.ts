import { backendNames } from "./backends.js";
import { formulaCount } from "./formulas.js";
import { losses } from "./losses.js";
import { ops } from "./ops/ops.js";
import { optimizers } from "./optimizers.js";
import { schedulers } from "./schedulers.js";
import { clippers } from "./sections/clipping.js";
import { errorCounts } from "./sections/errors.js";
import { programCount } from "./sections/programs.js";
import { layers } from "./sections/training.js";

/** What is translated, by kind. */
export function listLines(): string[] {
  const names = (table: Readonly<Record<string, unknown>>): string => Object.keys(table).sort().join(" ");
  return [
    `ops: ${names(ops)}`,
    `losses: ${names(losses)}`,
    `optimizers: ${names(optimizers)} LBFGS`,
    `schedulers: ${names(schedulers)}`,
    `clipping: ${names(clippers)}`,
    `layers: ${names(layers)}`,
    `by hand: ${programCount} programs, ${formulaCount} formulas, ${errorCounts.rejected} rejected and ${errorCounts.accepted} accepted errors`,
    `backends: ${backendNames.join(" ")}`,
  ];
}
