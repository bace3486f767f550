import { fail, type Schedule } from "@gradus/core";

/** Options by their names, as messages give them. */
type Numbers = Readonly<Record<string, number>>;

/** Throws unless the values are finite numbers of at least 0. */
export function checkNonNegative(rule: string, values: Numbers): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "number" && value >= 0 && value < Infinity) continue;
    fail("invalid-argument", `${rule}: ${name} must be a number of at least 0, got ${format(value)}`);
  }
}

/** Throws unless the values are in [0, 1). */
export function checkDecay(rule: string, values: Numbers): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "number" && value >= 0 && value < 1) continue;
    fail("invalid-argument", `${rule}: ${name} must be in [0, 1), got ${format(value)}`);
  }
}

/** Throws unless `value` is a function or a number of at least 0. */
export function checkSchedule(rule: string, name: string, value: Schedule | undefined): void {
  if (typeof value === "function") return;
  if (value === undefined) {
    fail("invalid-argument", `${rule}: ${name} is missing: give a number or a schedule`);
  }
  checkNonNegative(rule, { [name]: value });
}

function format(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** Throws unless `value` is a whole number of at least `least`. */
export function checkCount(rule: string, name: string, value: number, least = 1): void {
  if (Number.isInteger(value) && value >= least) return;
  fail(
    "invalid-argument",
    `${rule}: ${name} must be a whole number of at least ${least}, got ${format(value)}`,
  );
}

/** Throws unless `values` are whole numbers of at least 1, each above the last. */
export function checkMilestones(rule: string, values: readonly number[]): void {
  if (values.every((value, i) => Number.isInteger(value) && value > (values[i - 1] ?? 0))) return;
  fail(
    "invalid-argument",
    `${rule}: milestones must be whole numbers above 0 that rise, got ${values.join(", ")}`,
  );
}

/** Throws unless the values are finite numbers above 0. */
export function checkPositive(rule: string, values: Numbers): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "number" && value > 0 && value < Infinity) continue;
    fail("invalid-argument", `${rule}: ${name} must be a number above 0, got ${format(value)}`);
  }
}
