import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { packages, root } from "./workspace.mjs";

// Checks that the packages depend on each other only along the arrows of the design, and that every
// package.json says the same as the imports do.

const published = [
  "core",
  "tensor",
  "autograd",
  "losses",
  "optimizers",
  "nn",
  "train",
  "conformance",
  "backend-cpu",
  "backend-gpu",
  "backend-webgl",
  "gradus",
];
const scoped = (...names) => names.map((name) => `@gradus/${name}`);

/** What the sources of a published package may import; private packages may import anything they declare. */
const arrows = {
  core: [],
  tensor: scoped("core"),
  autograd: scoped("core"),
  losses: scoped("core"),
  optimizers: scoped("core"),
  nn: scoped("core"),
  "backend-cpu": scoped("core"),
  "backend-gpu": scoped("core"),
  "backend-webgl": [...scoped("core"), "gpu.js"],
  // Whoever tests an optimizer or a loss differentiates and compiles it.
  conformance: [...scoped("core", "tensor", "autograd"), "vitest"],
  train: scoped(...published.filter((name) => name !== "train" && name !== "gradus")),
  gradus: scoped(...published.filter((name) => name !== "gradus" && name !== "conformance")),
};

/** Development dependencies that a package carries in its own files, so that nobody installs what they bring. */
const carried = { "backend-webgl": ["gpu.js"] };

/** Packages whose tests run in Chromium as well, unless their file is called x.node.test.ts or x.full.test.ts. */
const portable = new Set([
  "core",
  "tensor",
  "autograd",
  "losses",
  "optimizers",
  "nn",
  "conformance",
  "backend-cpu",
]);

/** Returns one message for each arrow that points the wrong way in the workspace at `folder`. */
export function check(folder = root) {
  const all = packages(join(folder, "packages"));
  const byName = new Map(all.map((pkg) => [pkg.manifest.name, pkg]));
  const shared = Object.keys(
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).devDependencies ?? {},
  );
  return [...all.flatMap((pkg) => [...checkManifest(pkg), ...checkImports(pkg)]), ...checkCycles(byName)];

  function checkManifest({ name, manifest }) {
    const where = `packages/${name}/package.json`;
    const { dependencies = {}, peerDependencies = {}, devDependencies = {}, scripts = {} } = manifest;
    const problems = [];
    if (manifest.private) {
      if (arrows[name]) problems.push(`${where}: ${manifest.name} is published, but says "private".`);
      return problems;
    }
    if (!arrows[name]) {
      problems.push(
        `${where}: ${manifest.name} is not in the table of arrows. Add it to tooling/arrows.mjs?`,
      );
      return problems;
    }
    for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (name === "core") {
        problems.push(`${where}: core has no dependencies, but lists ${dependency}.`);
      } else if (!arrows[name].includes(dependency)) {
        problems.push(`${where}: ${name} may not depend on ${dependency} (${allowed(name)}).`);
      }
    }
    if (name !== "core" && !("@gradus/core" in peerDependencies)) {
      problems.push(`${where}: @gradus/core must be a peer dependency, so that a page has only one of it.`);
    }
    for (const peer of Object.keys(peerDependencies)) {
      if (!(peer in devDependencies))
        problems.push(`${where}: the peer ${peer} must be in devDependencies as well.`);
    }
    for (const script of ["preinstall", "install", "postinstall", "prepare"]) {
      if (script in scripts) problems.push(`${where}: a package may not have the script "${script}".`);
    }
    return problems;
  }

  function checkImports({ name, path, manifest }) {
    const { dependencies = {}, peerDependencies = {}, devDependencies = {} } = manifest;
    const atRunTime = { ...dependencies, ...peerDependencies };
    const unused = new Set(Object.keys(atRunTime));
    const problems = [];
    let sources = 0;
    for (const file of typescriptFiles(join(path, "src"))) {
      const where = relative(folder, file).split(sep).join("/");
      const isTest = /\.(test|fixture)\.ts$/.test(file);
      if (!isTest) sources++;
      for (const specifier of imports(file)) {
        const problem = specifier.startsWith(".")
          ? (isTest || manifest.private) &&
            join(file, "..", specifier).startsWith(join(folder, "tooling") + sep)
            ? undefined
            : leavesSources(file, specifier, path)
          : isTest
            ? testProblem(specifier, where)
            : sourceProblem(specifier);
        if (problem) problems.push(`${where}: import "${specifier}": ${problem}`);
        if (!isTest) unused.delete(packageOf(specifier));
      }
    }
    if (sources > 0 && !manifest.private) {
      for (const dependency of unused) {
        problems.push(`packages/${name}/package.json: lists ${dependency}, which no source imports.`);
      }
    }
    return problems;

    function sourceProblem(specifier) {
      const target = packageOf(specifier);
      if (target === manifest.name) return "a package imports its own files by a relative path.";
      if (!manifest.private && !arrows[name]?.includes(target))
        return `${name} may not import ${target} (${allowed(name)}).`;
      if (specifier.startsWith("node:")) return undefined;
      if (carried[name]?.includes(target) && target in devDependencies) return notExported(specifier, target);
      if (!(target in atRunTime))
        return `packages/${name}/package.json does not list ${target} as a dependency or peer.`;
      return notExported(specifier, target);
    }

    function testProblem(specifier, where) {
      const target = packageOf(specifier);
      if (specifier.startsWith("node:")) {
        if (!portable.has(name) || /\.(node|full)\.test\.ts$/.test(where)) return undefined;
        return "this test runs in Chromium as well. Name it x.node.test.ts?";
      }
      if (target === manifest.name) return notExported(specifier, target);
      if (target in atRunTime || target in devDependencies) return notExported(specifier, target);
      if (shared.includes(target)) return undefined;
      return `packages/${name}/package.json does not list ${target} in devDependencies.`;
    }
  }

  function notExported(specifier, target) {
    const exports = byName.get(target)?.manifest.exports;
    const subpath = `.${specifier.slice(target.length)}`;
    return !exports || subpath in exports ? undefined : `${target} does not export "${subpath}".`;
  }
}

function checkCycles(byName) {
  const state = new Map();
  const problems = [];
  const visit = (name, path) => {
    if (state.get(name) === "done") return;
    if (state.get(name) === "open") {
      problems.push(
        `packages depend on each other in a circle: ${[...path.slice(path.indexOf(name)), name].join(" -> ")}.`,
      );
      return;
    }
    state.set(name, "open");
    const { dependencies = {}, devDependencies = {} } = byName.get(name).manifest;
    for (const next of Object.keys({ ...dependencies, ...devDependencies })) {
      if (byName.has(next)) visit(next, [...path, name]);
    }
    state.set(name, "done");
  };
  for (const name of byName.keys()) visit(name, []);
  return problems;
}

/** The modules that a file names in import, export ... from and import(), types included; comments do not count. */
function imports(file) {
  return ts
    .preProcessFile(readFileSync(file, "utf8"), true, true)
    .importedFiles.map(({ fileName }) => fileName);
}

function leavesSources(file, specifier, path) {
  const target = join(file, "..", specifier);
  return target.startsWith(join(path, "src") + sep)
    ? undefined
    : "leaves the package's src folder. Import the other package by its name.";
}

function allowed(name) {
  const list = arrows[name] ?? [];
  return list.length ? `it may import ${list.join(", ")}` : "it may import nothing";
}

function packageOf(specifier) {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

function typescriptFiles(folder) {
  let entries;
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return typescriptFiles(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = check();
  for (const problem of problems) console.error(problem);
  if (problems.length) {
    console.error(`\n${problems.length} wrong ${problems.length === 1 ? "arrow" : "arrows"}.`);
    process.exit(1);
  }
  console.log(`The arrows of ${packages().length} packages are right.`);
}
