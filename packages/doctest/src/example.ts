import type { Fence } from "./fences.js";

/**
 * What becomes of an example:
 * `run` it in a test of its own, check its `types` only, or let it declare tests itself, as a `suite`.
 */
export type Mode = "run" | "types" | "suite";

/** A code block, together with the blocks that continue it. */
export interface Example {
  /** The document, relative to the workspace, with forward slashes. */
  readonly file: string;
  /** The line of the first block's opening marks. */
  readonly line: number;
  readonly mode: Mode;
  readonly blocks: readonly Fence[];
}

/** An example that cannot be made a test. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/**
 * Sorts the code blocks of one document, or of one doc comment, into examples. Only blocks whose info string begins
 * with the word `ts` count. One more word may follow:
 *
 * - none: an example that is run and type-checked, in a scope of its own
 * - `continue`: appended to the block before it, in the same scope
 * - `types`: only type-checked
 * - `suite`: type-checked and run at the top level of a test file, for code that itself declares tests
 * - `ignore`: only shown
 */
export function examples(
  file: string,
  blocks: readonly Fence[],
): { examples: Example[]; problems: Problem[] } {
  const found: { file: string; line: number; mode: Mode; blocks: Fence[] }[] = [];
  const problems: Problem[] = [];
  let continued: Fence[] | undefined;
  for (const block of blocks) {
    const { info, line } = block;
    const [language, word, ...more] = info.split(/\s+/);
    if (language !== "ts") continue;
    const start = (mode: Mode) => {
      continued = [block];
      found.push({ file, line, mode, blocks: continued });
    };
    if (more.length > 0) {
      problems.push({ file, line, message: `\`\`\`${info}: at most one word may follow ts` });
    } else if (word === undefined) {
      start("run");
    } else if (word === "types" || word === "suite") {
      start(word);
    } else if (word === "ignore") {
      continued = undefined;
    } else if (word !== "continue") {
      const known = "continue, types, suite, ignore";
      problems.push({ file, line, message: `\`\`\`${info}: unknown word "${word}" (known are ${known})` });
    } else if (continued) {
      continued.push(block);
    } else {
      problems.push({ file, line, message: "```ts continue: there is no block before it to continue" });
    }
  }
  return { examples: found, problems };
}
