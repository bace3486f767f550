import { spawn } from "node:child_process";
import { join } from "node:path";
import { build } from "./turbo.mjs";
import { root } from "./workspace.mjs";

// node tooling/run.mjs <package> <program> [argument ...]
// Builds packages/<package> and runs its dist/<program>.js with the arguments that are left, in the caller's
// folder. The note about building goes to stderr: stdout is the program's alone.
const [name, program, ...rest] = process.argv.slice(2);

console.error(`building @gradus/${name} ...`);
build(`@gradus/${name}`);

const child = spawn(
  process.execPath,
  [
    join(root, "packages", name, "dist", `${program}.js`),
    ...rest.filter((argument, i) => i > 0 || argument !== "--"),
  ],
  { stdio: "inherit", cwd: process.env.INIT_CWD ?? process.cwd() },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
