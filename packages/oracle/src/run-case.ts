import { isGradusError, type MaybePromise } from "@gradus/core";
import { type Check, type Mismatch, mismatchOf } from "./compare.js";
import { illConditioned } from "./ill-conditioned.js";
import type { Lab } from "./lab.js";
import type {
  AutogradCase,
  Case,
  CaseKind,
  ClippingCase,
  ErrorCase,
  LossCase,
  OptimizerCase,
  ProgramCase,
  SchedulerCase,
  SecondOrderCase,
  TrainingCase,
} from "./schema/cases.js";
import type { GoldenCase } from "./schema/golden-file.js";
import { UsageError } from "./schema/values.js";
import { autogradChecks } from "./sections/autograd.js";
import { clippingChecks } from "./sections/clipping.js";
import { errorChecks } from "./sections/errors.js";
import { exactLossChecks, lossChecks } from "./sections/losses.js";
import { optimizerChecks } from "./sections/optimizers.js";
import { programChecks } from "./sections/programs.js";
import { schedulerChecks } from "./sections/schedulers.js";
import { secondOrderChecks } from "./sections/second-order.js";
import { trainingChecks } from "./sections/training.js";
import { Undecided, Unsupported, Untranslated } from "./unsupported.js";

export type Outcome =
  | { readonly status: "passed"; readonly note?: string }
  | { readonly status: "failed"; readonly mismatches: readonly Mismatch[] }
  /** The packages do not offer it, or the oracle has no translation of it. */
  | { readonly status: "unsupported"; readonly what: string }
  /** To be translated by hand, and not translated. */
  | { readonly status: "untranslated"; readonly what: string }
  /** Shown, and counted neither way. */
  | { readonly status: "informative"; readonly note: string };

type Section = (fields: Case, lab: Lab) => MaybePromise<Check[]>;

const secondOrder: Section = (fields, lab) => secondOrderChecks(fields as SecondOrderCase, lab);

const sections: Readonly<Record<CaseKind, Section>> = {
  losses: (fields, lab) => lossChecks(fields as LossCase, lab),
  optimizers: (fields, lab) => optimizerChecks(fields as OptimizerCase, lab),
  schedulers: (fields, lab) => schedulerChecks(fields as SchedulerCase, lab),
  clipping: (fields, lab) => clippingChecks(fields as ClippingCase, lab),
  autograd: (fields, lab) => autogradChecks(fields as AutogradCase, lab),
  programs: (fields, lab) => programChecks(fields as ProgramCase, lab),
  jvp: secondOrder,
  hvp: secondOrder,
  hessian: secondOrder,
  derivatives: secondOrder,
  jacobian: secondOrder,
  rejected: (fields) => errorChecks("rejected", fields as ErrorCase),
  accepted: (fields) => errorChecks("accepted", fields as ErrorCase),
  e2e: (fields, lab) => trainingChecks(fields as TrainingCase, lab),
};

/** Runs one case. */
export async function runCase({ kind, fields }: GoldenCase, lab: Lab): Promise<Outcome> {
  const run = (): MaybePromise<Check[]> => sections[kind](fields, lab);
  const special = lab.single ? illConditioned[fields.id] : undefined;
  const outcome = await outcomeOf(run, special === undefined ? fields : { ...fields, ...special }, lab);
  if (special !== undefined && outcome.status === "passed")
    return { status: "passed", note: `ill-conditioned in float32: ${special.reason}` };
  if (kind === "accepted" && (outcome.status === "passed" || outcome.status === "failed")) {
    const how = outcome.status === "passed" ? "rejects it" : "takes it, as PyTorch does";
    return { status: "informative", note: how };
  }
  if (outcome.status !== "failed" || fields.quirk !== true) return outcome;
  return settleQuirk(kind, fields, lab, outcome.mismatches);
}

async function outcomeOf(
  run: () => MaybePromise<Check[] | undefined>,
  { tolerance }: Case,
  lab: Lab,
): Promise<Outcome> {
  try {
    const checks = (await run()) ?? [];
    // Together, so that a device fetches all at once.
    const all = await Promise.all(checks.map((check) => mismatchOf(check, lab, tolerance)));
    const mismatches = all.filter((mismatch) => mismatch !== undefined);
    return mismatches.length === 0 ? { status: "passed" } : { status: "failed", mismatches };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (error instanceof Unsupported) return { status: "unsupported", what: error.message };
    if (error instanceof Undecided) return { status: "informative", note: error.message };
    if (error instanceof Untranslated) return { status: "untranslated", what: error.message };
    const known = isGradusError(error);
    const got = known
      ? `${error.code}: ${error.message}`
      : `${error instanceof Error ? error.stack : String(error)}`;
    const what = known ? "rejected" : "crashed";
    return { status: "failed", mismatches: [{ what, expected: "a result", got, detail: "" }] };
  }
}

/**
 * PyTorch's result is arguable here, so another one is no failure, unless the exact one is known and missed. A crash is
 * one all the same.
 */
async function settleQuirk(
  kind: CaseKind,
  fields: Case,
  lab: Lab,
  mismatches: readonly Mismatch[],
): Promise<Outcome> {
  const failed: Outcome = { status: "failed", mismatches };
  if (mismatches.some(({ what }) => what === "crashed")) return failed;
  if (kind === "losses") {
    const loss = fields as LossCase;
    let known = true;
    const exact = await outcomeOf(
      () => {
        const checks = exactLossChecks(loss, lab);
        known = checks !== undefined;
        return checks;
      },
      fields,
      lab,
    );
    if (known)
      return exact.status === "passed" ? { status: "passed", note: "quirk: the exact value" } : failed;
  }
  const { what, got } = mismatches[0] as Mismatch;
  return {
    status: "passed",
    note: `quirk: ${what} is ${got}${fields.note === undefined ? "" : ` (${fields.note})`}`,
  };
}
