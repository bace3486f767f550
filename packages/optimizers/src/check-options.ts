import { fail, type Schedule } from "@gradus/core";

/** Throws unless `value` is a finite number of at least 0. */
export function checkNonNegative(rule: string, name: string, value: number): void {
  if (typeof value === "number" && value >= 0 && value < Infinity) return;
  fail("invalid-argument", `${rule}: ${name} must be a number of at least 0, got ${format(value)}`);
}

/** Throws unless `value` is in [0, 1). */
export function checkDecay(rule: string, name: string, value: number): void {
  if (typeof value === "number" && value >= 0 && value < 1) return;
  fail("invalid-argument", `${rule}: ${name} must be in [0, 1), got ${format(value)}`);
}

/** Throws unless `value` is a function or a number of at least 0. */
export function checkSchedule(rule: string, name: string, value: Schedule | undefined): void {
  if (typeof value === "function") return;
  if (value === undefined) {
    fail("invalid-argument", `${rule}: ${name} is missing: give a number or a schedule`);
  }
  checkNonNegative(rule, name, value);
}

function format(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
