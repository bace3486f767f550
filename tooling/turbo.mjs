import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { root } from "./workspace.mjs";

const require = createRequire(import.meta.url);
const bin = join(dirname(require.resolve("turbo/package.json")), "bin/turbo");

/** Builds the named packages and what they depend on (all packages when none is named), prints only errors. */
export function build(...packages) {
  const filters = packages.map((name) => `--filter=${name}`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [bin, "run", "build", "--output-logs=errors-only", "--log-order=grouped", ...filters],
    {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", FORCE_COLOR: undefined },
    },
  );
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}`);
  process.exit(status ?? 1);
}
