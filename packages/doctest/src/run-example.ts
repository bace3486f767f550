import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "./check.js";

/**
 * Runs the body of an example in an empty folder of its own, which is removed afterwards.
 *
 * @throws What the body throws; otherwise what `check` has found.
 */
export async function runExample(check: Check, body: (check: Check) => Promise<void>): Promise<void> {
  const home = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "gradus-example-"));
  process.chdir(folder);
  try {
    await body(check);
  } finally {
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  }
  check.finish();
}
