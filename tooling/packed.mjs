import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "./turbo.mjs";
import { packages, root } from "./workspace.mjs";

// Packs what would be published and uses it as a stranger would: outside of the workspace, with plain npm,
// in Node, in a newer Node, and bundled by Vite and by esbuild.

const published = packages().filter(({ manifest }) => !manifest.private);
const { devDependencies: versions } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const temporary = mkdtempSync(join(tmpdir(), "gradus-packed-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));

build(...published.map(({ manifest }) => manifest.name));
const tarballs = published.map(pack);
useOutside(tarballs);

/** Packs a package, checks what the tarball holds and returns the tarball's path. */
function pack({ path, manifest: { name } }) {
  const folder = join(temporary, "tarballs", name);
  mkdirSync(folder, { recursive: true });
  run(path, "pnpm", ["pack", "--pack-destination", folder]);
  const tarball = join(
    folder,
    readdirSync(folder).find((file) => file.endsWith(".tgz")),
  );

  run(folder, "tar", ["-xzf", tarball]);
  const files = readdirSync(join(folder, "package"), { recursive: true }).map(String);
  const packed = JSON.parse(readFileSync(join(folder, "package/package.json"), "utf8"));
  const scripts = ["preinstall", "install", "postinstall", "preuninstall", "prepare", "prepublish"];
  for (const script of scripts) {
    if (packed.scripts?.[script])
      fail(`${name} has the script "${script}": no package may run code when installed.`);
  }
  if (files.includes("binding.gyp"))
    fail(`${name} packs a binding.gyp, which npm would compile when installing.`);
  if (!files.includes("LICENSE")) fail(`${name} packs no LICENSE.`);
  const stray = files.find((file) => /\.test\.|^src\b/.test(file));
  if (stray) fail(`${name} packs ${stray}: only dist is published.`);
  if (/"workspace:|@gradus\/source/.test(JSON.stringify(packed))) {
    fail(`${name}: the packed package.json still names the workspace.`);
  }

  run(root, "publint", ["run", tarball, "--strict"]);
  run(root, "attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"]);
  console.log(
    `${name}: ${files.filter((file) => file.startsWith("dist/")).length} files in dist, well formed`,
  );
  return tarball;
}

function useOutside(tarballs) {
  const folder = join(temporary, "project");
  mkdirSync(folder);
  cpSync(join(root, "tooling/packed"), folder, { recursive: true });
  const dependencies = Object.fromEntries(
    tarballs.map((tarball, i) => [published[i].manifest.name, `file:${tarball}`]),
  );
  const devDependencies = { esbuild: versions.esbuild, vite: versions.vite };
  write(join(folder, "package.json"), {
    name: "project",
    private: true,
    type: "module",
    dependencies,
    devDependencies,
  });
  run(folder, "npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);

  // What is native, or large, or only carried by others must not come along.
  for (const name of ["gl", "gpu.js", "webgpu", "node-gyp"]) {
    if (existsSync(join(folder, "node_modules", name))) fail(`npm installs ${name} with these packages`);
  }

  const copies = readdirSync(join(folder, "node_modules"), { recursive: true })
    .map(String)
    .filter((path) => /node_modules[\\/]@gradus[\\/][^\\/]+$/.test(`node_modules/${path}`));
  const names = copies.map((path) => basename(path));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice)
    fail(
      `npm installs @gradus/${twice} twice: ${copies.filter((path) => basename(path) === twice).join(", ")}`,
    );

  const runs = [
    ["Node", "node", ["main.js"]],
    ["Node 24", "npx", ["-y", "node@24", "main.js"]],
  ];
  run(folder, "npx", ["--no-install", "vite", "build", "--logLevel", "warn"]);
  runs.push(["the bundle of Vite", "node", ["vite/main.js"]]);
  const options = [
    "main.js",
    "--bundle",
    "--minify",
    "--format=esm",
    "--outfile=esbuild/main.js",
    "--log-level=warning",
  ];
  run(folder, "npx", ["--no-install", "esbuild", ...options]);
  runs.push(["the bundle of esbuild", "node", ["esbuild/main.js"]]);

  const expected = readFileSync(join(folder, "expected.txt"), "utf8");
  for (const [name, command, args] of runs) {
    const output = run(folder, command, args);
    if (output !== expected) fail(`${name} printed\n${output}instead of\n${expected}`);
    console.log(`${name}: right numbers`);
  }
}

function run(cwd, command, args) {
  const { status, stdout, stderr, error } = spawnSync(...resolve(command, args), {
    cwd,
    env: environment(),
    encoding: "utf8",
    timeout: 300_000,
  });
  if (status !== 0)
    fail(`${command} ${args.join(" ")}: ${error ?? `exit code ${status}`}\n${stdout}${stderr}`);
  return stdout;
}

function resolve(command, args) {
  if (command === "node") return [process.execPath, args];
  // pnpm tells its scripts where it is itself; it need not be on the PATH.
  if (command === "pnpm" && process.env.npm_execpath)
    return [process.execPath, [process.env.npm_execpath, ...args]];
  if (["publint", "attw"].includes(command)) return [join(root, "node_modules/.bin", command), args];
  return [command, args];
}

/** The environment without what pnpm adds for its scripts, which npm would take for its own configuration. */
function environment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !name.startsWith("npm_") || name === "npm_config_registry",
    ),
  );
}

function write(path, value) {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
