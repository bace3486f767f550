import { join } from "node:path";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import { build } from "./turbo.mjs";
import { root } from "./workspace.mjs";

// What web pages pay, minified and gzipped: one that trains a network (tooling/size/program.js), and one that uses
// everything. docs/decisions/0004-bundle-budget.md says why there are two limits.

const names = ["core", "tensor", "autograd", "losses", "optimizers"];
const limits = { program: 60 * 1024, everything: 72 * 1024 };

build(...names.map((name) => `@gradus/${name}`));

const dist = Object.fromEntries(
  names.map((name) => [`@gradus/${name}`, join(root, "packages", name, "dist/index.js")]),
);

const everythingOf = (included) => ({
  contents: included.map((name) => `export * as ${name} from "@gradus/${name}";`).join("\n"),
  resolveDir: root,
});

async function bundle(included, stdin = everythingOf(included)) {
  const { outputFiles } = await esbuild.build({
    stdin,
    alias: Object.fromEntries(included.map((name) => [`@gradus/${name}`, dist[`@gradus/${name}`]])),
    external: names.filter((name) => !included.includes(name)).map((name) => `@gradus/${name}`),
    bundle: true,
    minify: true,
    treeShaking: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  const [{ contents }] = outputFiles;
  return { minified: contents.length, gzipped: gzipSync(contents, { level: 9 }).length };
}

const row = (name, minified, gzipped) =>
  console.log(name.padEnd(24) + minified.padStart(12) + gzipped.padStart(12));
const kilobytes = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

row("", "minified", "gzipped");
for (const name of names) {
  const { minified, gzipped } = await bundle([name]);
  row(`@gradus/${name}`, kilobytes(minified), kilobytes(gzipped));
}
const program = await bundle(names, {
  contents: `export * from "./tooling/size/program.js";`,
  resolveDir: root,
});
const everything = await bundle(names);
row("a training program", kilobytes(program.minified), kilobytes(program.gzipped));
row("everything", kilobytes(everything.minified), kilobytes(everything.gzipped));

console.log();
for (const [name, { gzipped }] of Object.entries({ program, everything })) {
  const limit = limits[name];
  if (gzipped > limit) {
    console.error(`${name}: the limit is ${kilobytes(limit)}: ${gzipped - limit} bytes too many.`);
    process.exitCode = 1;
  } else {
    console.log(`${name}: ${kilobytes(limit - gzipped)} below the limit of ${kilobytes(limit)}.`);
  }
}
