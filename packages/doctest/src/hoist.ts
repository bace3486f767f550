import ts from "typescript";
import type { Edit } from "./edit.js";

/** What makes a module's code fit to be the body of a function. */
export interface Hoisted {
  /** The imports to put in front of the function, each on one line. */
  readonly imports: readonly string[];
  /** The place in the code after which the function's body begins. */
  readonly bodyStart: number;
  readonly edits: readonly Edit[];
  /** Statements that have no place in a function, with their lines (from 0). */
  readonly unsupported: readonly { readonly line: number; readonly text: string }[];
}

/**
 * Takes imports and the word `export` out of a block, without moving any other code to another line.
 *
 * @param first Whether the block begins the function. The imports that it begins with then stay where they are.
 */
export function hoist(block: ts.SourceFile, first: boolean): Hoisted {
  const other = block.statements.findIndex((statement) => !ts.isImportDeclaration(statement));
  const leading = !first ? 0 : other === -1 ? block.statements.length : other;
  const imports: string[] = [];
  const edits: Edit[] = [];
  const unsupported: { line: number; text: string }[] = [];
  for (const statement of block.statements.slice(leading)) {
    const start = statement.getStart(block);
    const text = statement.getText(block);
    if (ts.isImportDeclaration(statement)) {
      imports.push(text.replace(/\s*\n\s*/g, " "));
      edits.push({ start, end: statement.end, text: text.replace(/[^\n]/g, "") });
    } else if (ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)) {
      unsupported.push({ line: block.getLineAndCharacterOfPosition(start).line, text });
    } else {
      edits.push(...withoutExport(block, statement));
    }
  }
  return { imports, bodyStart: block.statements[leading - 1]?.end ?? 0, edits, unsupported };
}

function withoutExport(block: ts.SourceFile, statement: ts.Statement): Edit[] {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  return modifiers
    .filter(({ kind }) => kind === ts.SyntaxKind.ExportKeyword || kind === ts.SyntaxKind.DefaultKeyword)
    .map((modifier) => ({ start: modifier.getStart(block), end: modifier.end, text: "" }));
}
