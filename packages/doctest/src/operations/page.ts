import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { operations } from "./names.js";

/** The page that maps names, made of the table and of the first sentences of what the sources say about each operation. */
export function operationsPage(root: string): string {
  const known = summaries(root);
  const sections = Object.entries(operations).map(([title, list]) => {
    const cells = list.map(({ torch, numpy, ours }) => [
      code(torch),
      code(numpy),
      `\`${ours}\``,
      known.get(nameOf(ours)) ?? "",
    ]);
    return [`## ${title}`, "", ...table([["PyTorch", "NumPy", "Gradus", "what"], ...cells])].join("\n");
  });
  return `${HEAD}\n\n${sections.join("\n\n")}\n`;
}

/** Rows as the formatter lays them out: columns of one width. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, k) => cell.padEnd(widths[k] as number)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line);
}

const HEAD = `# Operations

What PyTorch and NumPy call an operation, and what it is here. \`x.name(...)\` is a method of a tensor; \`name(...)\` is exported by
\`@gradus/tensor\`, and ships with a page only if it is imported; \`nn.name(...)\` is exported by \`@gradus/nn\`. Meaning, defaults and
gradients are PyTorch's, gradients of any order. Axes are called \`axis\` (PyTorch's \`dim\`) and \`keepdims\` keeps them.

Some results have shapes that depend on values: \`nonzero\`, \`maskedSelect\`, \`unique\`, \`bincount\` and a mask in \`index\`. They
work outside of \`compile\`, where values can be looked at; inside they throw \`value-in-trace\` and name what keeps its shape.
On a device that cannot be read without waiting, \`nonzeroAsync\` and its like wait.

This page is generated from the sources: \`npx vitest run --project node operations -u\`.`;

/** What a call calls: `x.softmax(axis)` calls `softmax`. */
export function nameOf(call: string): string {
  return /^(?:\w+\.)?(\w+)\(/.exec(call)?.[1] ?? "";
}

function code(names: string): string {
  return names === ""
    ? ""
    : names
        .split(", ")
        .map((name) => `\`${name}\``)
        .join(", ");
}

/** The first sentences of doc comments, by name: of functions, of methods, of rows of the scalar table. */
function summaries(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const packages = join(root, "packages");
  const note = (text: string, declaration: RegExp): void => {
    for (const [, comment = "", name = ""] of text.matchAll(declaration)) {
      if (!found.has(name)) found.set(name, firstSentence(comment));
    }
  };
  const comment = String.raw`\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*`;
  const core = (file: string): string => readFileSync(join(packages, "core/src", file), "utf8");
  note(core("ir/scalar-ops.ts"), new RegExp(`${comment}(\\w+): (?:float1|number1|binary|\\{)`, "g"));
  note(core("tensor.ts"), new RegExp(`${comment}(\\w+)\\(`, "g"));
  for (const folder of [
    "tensor/src",
    "tensor/src/functions",
    "tensor/src/linalg",
    "tensor/src/ops",
    "tensor/src/random",
    "nn/src",
  ]) {
    for (const file of readdirSync(join(packages, folder)).sort()) {
      if (!file.endsWith(".ts") || file.includes(".test.")) continue;
      const text = readFileSync(join(packages, folder, file), "utf8");
      note(text, new RegExp(`${comment}export function (\\w+)`, "g"));
    }
  }
  return found;
}

function firstSentence(comment: string): string {
  const text = comment
    .replace(/^\s*\* ?/gm, "")
    .replace(/\{@link (\w+)\}/g, "`$1`")
    .replace(/\s+/g, " ")
    .trim();
  const end = /[.:](?= |$)/.exec(text.replace(/\(.*?\)|`[^`]*`/g, (part) => "x".repeat(part.length)));
  return (end === null ? text : text.slice(0, end.index)).replaceAll("|", "\\|");
}
