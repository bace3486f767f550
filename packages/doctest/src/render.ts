import ts from "typescript";
import { findAssertions } from "./assertions.js";
import { applyEdits } from "./edit.js";
import type { Example, Problem } from "./example.js";
import { hoist } from "./hoist.js";

// Relative to the folder of the generated files.
const HARNESS = JSON.stringify("../src/harness.js");

/** Code that begins on a line of the module, counted from 1. */
interface Piece {
  readonly line: number;
  readonly code: string;
}

/**
 * Writes an example as a TypeScript module. Line N of the module is line N of the document, so that what the
 * compiler and stack traces say of the one holds for the other; what the module needs besides is on line 1 and on
 * the lines of the block's marks.
 *
 * @returns The module, or the problems that keep the example from being one.
 */
export function render(example: Example): { module: string } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const pieces = { run, suite, types }[example.mode](example, problems);
  return problems.length > 0 ? { problems } : { module: assemble(pieces) };
}

/** Writes a module whose only test fails, for an example that could not be rendered. */
export function renderProblem({ file, line, message }: Problem): string {
  const test = `broken(${JSON.stringify(`${file}:${line}`)}, ${JSON.stringify(message)});`;
  return assemble([{ line: 1, code: `import { broken } from ${HARNESS}; ${test}` }]);
}

/** The blocks as the body of one test. */
function run(example: Example, problems: Problem[]): Piece[] {
  const blocks = parse(example, problems);
  const parts = blocks.map((block, i) => ({ ...block, hoisted: hoist(block.source, i === 0) }));
  for (const { line, hoisted } of parts) {
    for (const { line: row, text } of hoisted.unsupported) {
      const message = `an example that is run cannot hold \`${text}\`. Export a declaration instead?`;
      problems.push({ file: example.file, line: line + row, message });
    }
  }
  const imports = parts.flatMap(({ hoisted }) => hoisted.imports);
  const open = ` $example(${checkArguments(example, blocks)}, async ($check) => {`;
  const bodyStart = parts[0]?.hoisted.bodyStart ?? 0;
  return [
    { line: 1, code: [`import { example as $example } from ${HARNESS};`, ...imports].join(" ") },
    // Where the first block begins with imports, the test opens behind the last of them.
    ...(bodyStart > 0 ? [] : [{ line: 1, code: open }]),
    ...parts.map(({ line, source, edits, hoisted }, i) => {
      const opening = i === 0 && bodyStart > 0 ? [{ start: bodyStart, end: bodyStart, text: open }] : [];
      return { line, code: applyEdits(source.text, [...edits, ...hoisted.edits, ...opening]) };
    }),
    { line: lastLine(example), code: "});" },
  ];
}

/** The blocks at the top level of a test file. */
function suite(example: Example, problems: Problem[]): Piece[] {
  const blocks = parse(example, problems);
  const check = `const $check = new $Check(${checkArguments(example, blocks)});`;
  return [
    { line: 1, code: `import { Check as $Check, afterSuite as $afterSuite } from ${HARNESS}; ${check}` },
    ...blocks.map(({ line, source, edits }) => ({ line, code: applyEdits(source.text, edits) })),
    { line: lastLine(example), code: "$afterSuite($check);" },
  ];
}

/** The blocks as they are. */
function types({ blocks }: Example): Piece[] {
  return blocks.map(({ line, code }) => ({ line: line + 1, code: code.join("\n") }));
}

function parse({ file, blocks }: Example, problems: Problem[]) {
  return blocks.map(({ line: opening, code }) => {
    const line = opening + 1;
    const source = ts.createSourceFile("example.ts", code.join("\n"), ts.ScriptTarget.Latest, true);
    const { lines, edits, strays } = findAssertions(source, (row) => line + row);
    for (const row of strays) {
      const message = "`// →` must follow an expression statement, such as a call of console.log";
      problems.push({ file, line: line + row, message });
    }
    return { line, source, edits, asserted: lines.map((row) => line + row) };
  });
}

function checkArguments({ file, line }: Example, blocks: readonly { asserted: number[] }[]): string {
  const asserted = blocks.flatMap((block) => block.asserted);
  return `${JSON.stringify(`${file}:${line}`)}, ${JSON.stringify(asserted)}`;
}

function lastLine({ blocks, line }: Example): number {
  return blocks.at(-1)?.end ?? line;
}

function assemble(pieces: readonly Piece[]): string {
  const lines: string[] = [];
  for (const { line, code } of pieces) {
    code.split("\n").forEach((text, row) => {
      const index = line - 1 + row;
      lines[index] = (lines[index] ?? "") + text;
    });
  }
  return `${Array.from(lines, (text) => text ?? "").join("\n")}\n`;
}
