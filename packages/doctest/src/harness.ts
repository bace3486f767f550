import { test } from "vitest";
import { Check } from "./check.js";
import { runExample } from "./run-example.js";

// What the generated files import.

export { Check };

/** Declares the test of one example, which is named after its place: `docs/programs.md:12`. */
export function example(
  where: string,
  lines: readonly number[],
  body: (check: Check) => Promise<void>,
): void {
  test(where, () => runExample(new Check(where, lines), body));
}

/** Declares the test that looks at the assertions of an example after the tests that the example declared. */
export function afterSuite(check: Check): void {
  test(check.where, () => check.finish());
}

/** Declares a failing test for an example that cannot be run. */
export function broken(where: string, message: string): void {
  test(where, () => {
    throw new Error(`${where}: ${message}`);
  });
}
