import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { generate } from "./generate.js";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "gradus-doctest-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(file: string, ...lines: string[]): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), lines.join("\n"));
}

const out = () => join(root, "packages/doctest/.generated");
const block = ["```ts", "1 + 1; // → 2", "```"];
const comment = ["/**", " * @example", ...block.map((line) => ` * ${line}`), " */", "export const a = 1;"];

it("makes a file for each example of the pages, the READMEs and the doc comments", () => {
  write("README.md", ...block);
  write("CONTRIBUTING.md", "", ...block, ...block);
  write("CHANGELOG.md", ...block);
  write("docs/deep/page.md", "```ts types", "a;", "```", "```ts ignore", "a;", "```");
  write("packages/a/README.md", ...block);
  write("packages/a/src/deep/a.ts", ...comment);
  write("packages/a/src/a.test.ts", ...comment);
  write("packages/a/dist/a.ts", ...comment);
  write("packages/a/node_modules/b/src/b.ts", ...comment);
  const { files, problems } = generate(root, out());
  expect(problems).toEqual([]);
  expect(files).toEqual([
    "CONTRIBUTING.md.2.test.ts",
    "CONTRIBUTING.md.5.test.ts",
    "README.md.1.test.ts",
    "docs__deep__page.md.1.types.ts",
    "packages__a__README.md.1.test.ts",
    "packages__a__src__deep__a.ts.3.test.ts",
  ]);
  expect(readdirSync(out()).sort()).toEqual(files);
  expect(readFileSync(join(out(), "README.md.1.test.ts"), "utf8")).toContain('$example("README.md:1", [2]');
});

it("removes stale files and does not touch those that stay the same", () => {
  write("README.md", ...block);
  write("docs/a.md", ...block);
  generate(root, out());
  const kept = join(out(), "README.md.1.test.ts");
  const written = statSync(kept, { bigint: true }).mtimeNs;
  rmSync(join(root, "docs/a.md"));
  write("packages/doctest/.generated/other.test.ts", "x;");
  generate(root, out());
  expect(readdirSync(out())).toEqual(["README.md.1.test.ts"]);
  expect(statSync(kept, { bigint: true }).mtimeNs).toBe(written);
});

it("makes a problem a test that fails, and goes on with the other examples", () => {
  write("README.md", "```ts", "const a = 1; // → 1", "```", "```ts wrong", "```", ...block);
  write("docs/a.md", "```ts", "a;");
  const { files, problems } = generate(root, out());
  expect(problems.map(({ file, line }) => `${file}:${line}`)).toEqual([
    "README.md:2",
    "README.md:4",
    "docs/a.md:1",
  ]);
  expect(files).toEqual([
    "README.md.2.test.ts",
    "README.md.4.test.ts",
    "README.md.6.test.ts",
    "docs__a.md.1.test.ts",
  ]);
  expect(readFileSync(join(out(), "docs__a.md.1.test.ts"), "utf8")).toContain('broken("docs/a.md:1"');
});

it("says nothing of a workspace without documentation", () => {
  expect(generate(root, out())).toEqual({ files: [], problems: [] });
});
