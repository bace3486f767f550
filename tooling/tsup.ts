import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

interface Exports {
  [subpath: string]: { "@gradus/source"?: string };
}

interface BuildOptions {
  /** Builds each `src/<program>.ts` into a runnable `dist/<program>.js` instead of what `exports` lists. */
  program?: string | readonly string[];
  /** Development dependencies that the package carries in its own files. */
  carried?: readonly string[];
}

/**
 * The build of every package: ES modules and declarations from the entries that `exports` in package.json
 * lists under the condition `@gradus/source`. Runs in the package's folder; whatever is a dependency or a peer
 * stays an import.
 */
export function build({ program, carried = [] }: BuildOptions = {}) {
  return defineConfig({
    entry: program ? programEntries(program) : sourceEntries(),
    format: "esm",
    target: "es2022",
    platform: program ? "node" : "neutral",
    noExternal: carried.map((name) => new RegExp(`^${name}(/|$)`)),
    splitting: true,
    treeshake: true,
    sourcemap: false,
    clean: true,
    dts: program
      ? false
      : {
          compilerOptions: {
            customConditions: [],
            ignoreDeprecations: "6.0",
            noEmit: false,
            types: nodeTypes(),
          },
        },
  });
}

function programEntries(program: string | readonly string[]): Record<string, string> {
  const names = typeof program === "string" ? [program] : program;
  return Object.fromEntries(names.map((name) => [name, `src/${name}.ts`]));
}

function sourceEntries(): Record<string, string> {
  const { exports = {} } = packageJson();
  const entries: Record<string, string> = {};
  for (const { "@gradus/source": source } of Object.values(exports)) {
    if (source) entries[source.replace("./src/", "").replace(/\.ts$/, "")] = source;
  }
  return entries;
}

/** Published packages also run in browsers, so their declarations are checked without Node's types. */
function nodeTypes(): string[] {
  return packageJson().private ? ["node"] : [];
}

function packageJson(): { private?: boolean; exports?: Exports } {
  return JSON.parse(readFileSync("package.json", "utf8"));
}
