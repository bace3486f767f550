import { type ErrorCode, isGradusError } from "@gradus/core";
import { assert } from "vitest";

/** Fails unless `f` throws an error with this code; returns the error. */
export function expectCode(f: () => unknown, code: ErrorCode): Error {
  try {
    f();
  } catch (error) {
    return checked(error, code);
  }
  return assert.fail(`expected an error with code "${code}", but nothing was thrown`);
}

/** {@link expectCode} of a Promise: `f` may throw or reject. */
export async function expectRejection(f: () => Promise<unknown>, code: ErrorCode): Promise<Error> {
  try {
    await f();
  } catch (error) {
    return checked(error, code);
  }
  return assert.fail(`expected a rejection with code "${code}", but the Promise was resolved`);
}

function checked(error: unknown, code: ErrorCode): Error {
  if (isGradusError(error, code)) return error;
  return assert.fail(`expected an error with code "${code}", got ${String(error)}`);
}
