import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import { build } from "./turbo.mjs";
import { root } from "./workspace.mjs";

// What web pages pay, minified and gzipped: one that trains a network (tooling/size/program.js), and one that uses
// everything. docs/decisions/0004-bundle-budget.md says why there are two limits.

const names = ["core", "tensor", "autograd", "backend-cpu", "losses", "optimizers"];
const limits = {
  "on the interpreter": 80 * 1024,
  "on cpu": 118 * 1024,
  everything: 182 * 1024,
};

build(...names.map((name) => `@gradus/${name}`));

const dist = Object.fromEntries(
  names.map((name) => [`@gradus/${name}`, join(root, "packages", name, "dist/index.js")]),
);

const everythingOf = (included) => ({
  contents: included.map((name) => `export * as ${JSON.stringify(name)} from "@gradus/${name}";`).join("\n"),
  resolveDir: root,
});

async function bundle(included, stdin = everythingOf(included)) {
  const { outputFiles, metafile } = await esbuild.build({
    stdin,
    alias: Object.fromEntries(included.map((name) => [`@gradus/${name}`, dist[`@gradus/${name}`]])),
    external: names.filter((name) => !included.includes(name)).map((name) => `@gradus/${name}`),
    bundle: true,
    minify: true,
    treeShaking: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    splitting: true,
    outdir: "out",
    absWorkingDir: root,
    metafile: true,
    write: false,
  });
  // The entry and what it imports; what it imports only when it is asked for does not count.
  const [entry] = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint !== undefined);
  const loaded = new Set([entry]);
  for (const path of loaded) {
    for (const { path: imported, kind } of metafile.outputs[path].imports) {
      if (kind === "import-statement" && metafile.outputs[imported] !== undefined) loaded.add(imported);
    }
  }
  const files = outputFiles.filter(({ path }) => loaded.has(relative(root, path)));
  const sum = (size) => files.reduce((total, { contents }) => total + size(contents), 0);
  return {
    minified: sum((contents) => contents.length),
    gzipped: sum((contents) => gzipSync(contents, { level: 9 }).length),
  };
}

const row = (name, minified, gzipped) =>
  console.log(name.padEnd(24) + minified.padStart(12) + gzipped.padStart(12));
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

row("", "minified", "gzipped");
for (const name of names) {
  const { minified, gzipped } = await bundle([name]);
  row(`@gradus/${name}`, kilobytes(minified), kilobytes(gzipped));
}
const program = (backend) =>
  bundle(names, {
    contents: `export * from "./tooling/size/program.js"; ${backend}`,
    resolveDir: root,
  });
const pages = {
  "on the interpreter": await program(`export { interpreter } from "@gradus/core";`),
  "on cpu": await program(`export { cpu } from "@gradus/backend-cpu";`),
  everything: await bundle(names),
};
console.log("\na training program");
for (const [name, { minified, gzipped }] of Object.entries(pages)) {
  row(name, kilobytes(minified), kilobytes(gzipped));
}

console.log();
for (const [name, { gzipped }] of Object.entries(pages)) {
  const limit = limits[name];
  if (gzipped > limit) {
    console.error(`${name}: the limit is ${kilobytes(limit)}: ${gzipped - limit} bytes too many.`);
    process.exitCode = 1;
  } else {
    console.log(`${name}: ${kilobytes(limit - gzipped)} below the limit of ${kilobytes(limit)}.`);
  }
}
