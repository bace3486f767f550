import { join } from "node:path";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";
import { build } from "./turbo.mjs";
import { root } from "./workspace.mjs";

// What a web page pays that uses everything of these packages: minified, gzipped, without anything else.

const names = ["core", "tensor", "autograd", "losses", "optimizers"];
const limit = 60 * 1024;

build(...names.map((name) => `@gradus/${name}`));

const dist = Object.fromEntries(
  names.map((name) => [`@gradus/${name}`, join(root, "packages", name, "dist/index.js")]),
);

async function bundle(included) {
  const { outputFiles } = await esbuild.build({
    stdin: {
      contents: included.map((name) => `export * as ${name} from "@gradus/${name}";`).join("\n"),
      resolveDir: root,
    },
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
const all = await bundle(names);
row("all of them", kilobytes(all.minified), kilobytes(all.gzipped));

if (all.gzipped > limit) {
  console.error(`\nThe limit is ${kilobytes(limit)}: ${all.gzipped - limit} bytes too many.`);
  process.exit(1);
}
console.log(`\n${kilobytes(limit - all.gzipped)} below the limit of ${kilobytes(limit)}.`);
