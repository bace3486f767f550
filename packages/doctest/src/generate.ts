import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { docCommentFences } from "./doc-comments.js";
import { documents } from "./documents.js";
import { type Example, examples, type Problem } from "./example.js";
import { type Fence, fences, UnclosedFence } from "./fences.js";
import { render, renderProblem } from "./render.js";

/** What `generate` has written. */
export interface Generated {
  /** The names of the files, relative to the folder they are in. */
  readonly files: readonly string[];
  /** The examples that could not be rendered. Each has a test that fails. */
  readonly problems: readonly Problem[];
}

/**
 * Makes the examples of a workspace's documentation tests: the code blocks of the pages in `docs`, of `README.md`,
 * of `CONTRIBUTING.md` and of each package's README, and those below `@example` in the doc comments of each
 * package's `src`.
 *
 * An example becomes `<document>.<line>.test.ts`, or `.types.ts` where it is only type-checked, for instance
 * `docs__programs.md.12.test.ts`. Whatever else is in the folder is removed; a file that would not change is not
 * written.
 *
 * @param root The workspace's folder.
 * @param out The folder to write. The files import the harness from `../src`, relative to it.
 */
export function generate(root: string, out: string): Generated {
  const files = new Map<string, string>();
  const problems: Problem[] = [];
  const report = (problem: Problem) => {
    problems.push(problem);
    files.set(`${slug(problem)}.test.ts`, renderProblem(problem));
  };
  const add = (example: Example) => {
    const rendered = render(example);
    if ("problems" in rendered) rendered.problems.forEach(report);
    else files.set(`${slug(example)}.${example.mode === "types" ? "types" : "test"}.ts`, rendered.module);
  };
  for (const file of documents(root)) {
    for (const blocks of blocksOf(root, file, report)) {
      const found = examples(file, blocks);
      found.examples.forEach(add);
      found.problems.forEach(report);
    }
  }
  write(out, files);
  return { files: [...files.keys()].sort(), problems };
}

/** The code blocks of a document: all of a page's in one list, or one list for each doc comment. */
function blocksOf(root: string, file: string, report: (problem: Problem) => void): Fence[][] {
  const text = readFileSync(join(root, file), "utf8");
  try {
    if (file.endsWith(".ts")) return docCommentFences(text);
    return [fences(text.split(/\r?\n/).map((line, i) => ({ number: i + 1, text: line })))];
  } catch (error) {
    if (!(error instanceof UnclosedFence)) throw error;
    report({ file, line: error.line, message: error.message });
    return [];
  }
}

/** `docs/programs.md`, line 12: `docs__programs.md.12`. */
function slug({ file, line }: { file: string; line: number }): string {
  return `${file.replaceAll("/", "__")}.${line}`;
}

function write(folder: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (!files.has(name)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  for (const [name, text] of files) {
    const path = join(folder, name);
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
  }
}
