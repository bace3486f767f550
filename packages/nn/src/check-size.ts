import { fail } from "@gradus/core";

/** Throws unless `value` is a whole number of at least 1. */
export function checkSize(layer: string, name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1) return;
  fail("invalid-argument", `${layer}: ${name} must be a whole number of at least 1, got ${String(value)}`);
}
