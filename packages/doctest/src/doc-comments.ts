import ts from "typescript";
import { type Fence, fences, type Line } from "./fences.js";

/**
 * Finds the code blocks below the `@example` tags of a TypeScript file, one list for each doc comment that has any.
 *
 * @throws UnclosedFence
 */
export function docCommentFences(source: string): Fence[][] {
  if (!source.includes("@example")) return [];
  const file = ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest);
  return docComments(file)
    .map((range) => exampleFences(commentLines(file, range)))
    .filter((found) => found.length > 0);
}

/** The doc comments in front of declarations, members and statements, in their order. */
function docComments(file: ts.SourceFile): ts.TextRange[] {
  const found = new Map<number, ts.TextRange>();
  const visit = (node: ts.Node) => {
    for (const range of ts.getLeadingCommentRanges(file.text, node.pos) ?? []) {
      if (file.text.startsWith("/**", range.pos)) found.set(range.pos, range);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...found.values()].sort((a, b) => a.pos - b.pos);
}

function commentLines(file: ts.SourceFile, { pos, end }: ts.TextRange): Line[] {
  const first = file.getLineAndCharacterOfPosition(pos).line + 1;
  return file.text
    .slice(pos + "/**".length, end - "*/".length)
    .split(/\r?\n/)
    .map((text, i) => ({ number: first + i, text: text.replace(/^\s*\* ?/, "") }));
}

function exampleFences(lines: readonly Line[]): Fence[] {
  const all = fences(lines);
  const tags = lines
    .filter(({ number }) => !all.some(({ line, end }) => line <= number && number <= end))
    .flatMap(({ number, text }) => {
      const tag = text.match(/^\s*@(\w+)/)?.[1];
      return tag === undefined ? [] : [{ number, tag }];
    });
  return all.filter(({ line }) => tags.filter(({ number }) => number < line).at(-1)?.tag === "example");
}
