import ts from "typescript";
import type { Edit } from "./edit.js";

/** The assertions of a code block. Lines count from 0, in the block. */
export interface Assertions {
  /** The line of each assertion's comment. */
  readonly lines: readonly number[];
  /** What turns the asserted statements into calls of `$check`. */
  readonly edits: readonly Edit[];
  /** Lines with a comment that looks like an assertion but follows no statement that can be asserted. */
  readonly strays: readonly number[];
}

const TRAILING = /^[ \t]*\/\/\s*→(.*)$/;
const ALONE = /^\s*\/\/\s*→(.*)$/;
const ANYWHERE = /\/\/\s*→/;

/**
 * Finds the comments `// → expected` that follow a `console.log(...)` or another expression statement on its last
 * line, or that stand on the lines right below it. Several such comments in a row are the lines of one expected text.
 *
 * @param lineAt The number that a line of the block has in its document, which `$check` is to report.
 */
export function findAssertions(block: ts.SourceFile, lineAt: (line: number) => number): Assertions {
  const text = block.text.split("\n");
  const lines: number[] = [];
  const edits: Edit[] = [];
  const used = new Set<number>();

  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node)) {
      const { line, character } = block.getLineAndCharacterOfPosition(node.end);
      const { first, expected } = expectation(text, line, character);
      if (expected.length > 0) {
        lines.push(first);
        edits.push(...asserting(block, node, lineAt(first), expected.join("\n").trim()));
        for (let i = 0; i < expected.length; i++) used.add(first + i);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(block);
  const strays = text.flatMap((content, line) => (ANYWHERE.test(content) && !used.has(line) ? [line] : []));
  return { lines, edits, strays };
}

/** The expected lines of a statement that ends at the given place, and the line of the first of them. */
function expectation(text: readonly string[], line: number, character: number) {
  const rest = (text[line] ?? "").slice(character);
  const trailing = rest.match(TRAILING);
  const expected: string[] = [];
  if (trailing) expected.push(trailing[1] ?? "");
  if (trailing || rest.trim() === "") {
    for (let next = line + 1; ; next++) {
      const alone = text[next]?.match(ALONE);
      if (!alone) break;
      expected.push(alone[1] ?? "");
    }
  }
  return {
    first: trailing ? line : line + 1,
    expected: expected.map((content) => content.replace(/^ /, "").trimEnd()),
  };
}

function asserting(
  block: ts.SourceFile,
  { expression, end }: ts.ExpressionStatement,
  line: number,
  expected: string,
): Edit[] {
  const start = expression.getStart(block);
  const what = `${line}, ${JSON.stringify(expected)}, `;
  if (ts.isCallExpression(expression) && expression.expression.getText(block) === "console.log") {
    return [{ start, end: expression.arguments.pos, text: `$check.printed(${what}` }];
  }
  return [
    { start, end: start, text: `$check.value(${what}(` },
    { start: expression.end, end, text: "));" },
  ];
}
