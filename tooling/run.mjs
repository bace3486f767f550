import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { runnerImport } from "vite";
import { build } from "./turbo.mjs";
import { root } from "./workspace.mjs";

// node tooling/run.mjs <package> <program> [argument ...]
// Builds packages/<package> and runs its dist/<program>.js with the arguments that are left, in the caller's
// folder. The note about building goes to stderr: stdout is the program's alone.
const [name, program, ...rest] = process.argv.slice(2);

console.error(`building @gradus/${name} ...`);
build(`@gradus/${name}`);

// What computes on a graphics card gets the software one that the tests have, where the system brings no driver.
if (rest.some((argument) => /^(--backend=)?gpu$/.test(argument)) && !hasVulkanDriver()) {
  const { module } = await runnerImport(join(root, "tooling/webgpu/vulkan.ts"));
  await module.setup();
}

function hasVulkanDriver() {
  return (
    process.platform !== "linux" ||
    ["/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"].some((folder) => {
      try {
        return readdirSync(folder).length > 0;
      } catch {
        return false;
      }
    })
  );
}

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
