import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import ts from "typescript";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const entry = (name) => join(root, "packages", name, "src/index.ts");

const program = `
import { compile, tensor, type Tensor } from "@gradus/tensor";
import { grad, gradcheck } from "@gradus/autograd";

const x = tensor([-1, 0.5, 3], { dtype: "f64" });
const value: Tensor = x.softsign();
const gradient = grad((x: Tensor) => x.softsign().sum());
export const results = {
  value: value.toArray(),
  gradient: gradient(x).toArray(),
  compiled: compile(gradient)(x).toArray(),
  second: grad((x: Tensor) => gradient(x).sum())(x).toArray(),
  checked: gradcheck((x: Tensor) => x.softsign(), x).compared,
};
`;

it("adds an elementwise operation by following CONTRIBUTING: one row, and method, gradient and compile are there", async () => {
  const guide = await readFile(join(root, "CONTRIBUTING.md"), "utf8");
  const row = /## Add an elementwise operation[\s\S]*?```ts ignore\n([\s\S]*?)```/.exec(guide)?.[1];
  expect(row).toContain("softsign: float1(");

  const folder = await mkdtemp(join(tmpdir(), "gradus-contributing-"));
  await cp(join(root, "packages/core/src"), join(folder, "core"), { recursive: true });
  const table = join(folder, "core/ir/scalar-ops.ts");
  const source = await readFile(table, "utf8");
  await writeFile(table, source.replace("  // Activations\n", `  // Activations\n${row}`));
  await writeFile(join(folder, "program.ts"), program);
  const sources = {
    "@gradus/core": join(folder, "core/index.ts"),
    "@gradus/tensor": entry("tensor"),
    "@gradus/autograd": entry("autograd"),
  };

  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const paths = Object.fromEntries(Object.entries(sources).map(([name, file]) => [name, [file]]));
  const checked = ts.createProgram([join(folder, "program.ts")], { ...options, paths });
  const problems = ts
    .getPreEmitDiagnostics(checked)
    .map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"));
  expect(problems).toEqual([]);

  const outfile = join(folder, "program.mjs");
  await build({
    entryPoints: [join(folder, "program.ts")],
    outfile,
    bundle: true,
    format: "esm",
    alias: sources,
  });
  const { results } = await import(/* @vite-ignore */ pathToFileURL(outfile).href);
  const close = (values) => values.map((value) => expect.closeTo(value, 12));
  expect(results.value).toEqual(close([-1 / 2, 0.5 / 1.5, 3 / 4]));
  expect(results.gradient).toEqual(close([1 / 4, 1 / 2.25, 1 / 16]));
  expect(results.compiled).toEqual(results.gradient);
  expect(results.second).toEqual(close([2 / 8, -2 / 1.5 ** 3, -2 / 64]));
  expect(results.checked).toBe(9);
}, 60_000);
