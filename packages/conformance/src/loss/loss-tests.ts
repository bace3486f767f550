import { gradients } from "./gradients.js";
import type { DeclareTest, LossSubject } from "./loss-subject.js";
import { purity } from "./purity.js";
import { reductions } from "./reductions.js";
import { refusals } from "./refusals.js";
import { stability } from "./stability.js";

/** The parts of the suite for losses. */
export const lossTests: Readonly<Record<string, (subject: LossSubject, it: DeclareTest) => void>> = {
  reductions,
  gradients,
  "extreme predictions": stability,
  "as a function": purity,
  refuses: refusals,
};
