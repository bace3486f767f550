/** A line of a document, or of a comment whose leading stars are already removed. */
export interface Line {
  /** From 1, in the file. */
  readonly number: number;
  readonly text: string;
}

/** A fenced code block. */
export interface Fence {
  /** What follows the opening marks, trimmed: `ts continue`. */
  readonly info: string;
  /** The opening line's number. */
  readonly line: number;
  /** The closing line's number. */
  readonly end: number;
  /** The lines between, without the indentation of the opening line. Line `i` is line `line + 1 + i` of the file. */
  readonly code: readonly string[];
}

/** A block that is opened and never closed, at `line`. */
export class UnclosedFence extends Error {
  constructor(readonly line: number) {
    super("this code block is never closed");
  }
}

const OPENING = /^(\s*)(`{3,}|~{3,})\s*(.*)$/;

/**
 * Finds the fenced code blocks of a text: three or more backticks or tildes, closed by at least as many of the same.
 * An indented block counts wherever it stands, so that examples inside of list items are found.
 *
 * @throws UnclosedFence
 */
export function fences(lines: readonly Line[]): Fence[] {
  const found: Fence[] = [];
  for (let i = 0; i < lines.length; i++) {
    const opening = lines[i]?.text.match(OPENING);
    if (!opening) continue;
    const [, indentation = "", marks = "", info = ""] = opening;
    if (marks.startsWith("`") && info.includes("`")) continue; // inline code that stands alone on a line
    const line = lines[i]?.number ?? 0;
    const code: string[] = [];
    for (i++; !closes(lines[i]?.text, marks); i++) {
      const next = lines[i];
      if (next === undefined) throw new UnclosedFence(line);
      code.push(withoutIndentation(next.text, indentation.length));
    }
    found.push({ info: info.trim(), line, end: lines[i]?.number ?? 0, code });
  }
  return found;
}

function closes(text: string | undefined, marks: string): boolean {
  const closing = text?.trim() ?? "";
  return closing.length >= marks.length && closing === marks.charAt(0).repeat(closing.length);
}

function withoutIndentation(text: string, width: number): string {
  return text.replace(new RegExp(`^\\s{0,${width}}`), "");
}
