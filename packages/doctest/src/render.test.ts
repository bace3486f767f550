import { existsSync } from "node:fs";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { Check } from "./check.js";
import { type Example, examples } from "./example.js";
import { fences } from "./fences.js";
import { render, renderProblem } from "./render.js";
import { runExample } from "./run-example.js";

/** The examples of a page whose blocks begin on its second line. */
function page(...lines: string[]): Example[] {
  const text = ["# Title", ...lines.flatMap((line) => line.split("\n"))].map((text, i) => ({
    number: i + 1,
    text,
  }));
  return examples("docs/a.md", fences(text)).examples;
}

function rendered(...lines: string[]): string {
  const [example] = page(...lines);
  const result = example && render(example);
  if (result === undefined || "problems" in result) throw new Error(JSON.stringify(result));
  return result.module;
}

function problemsOf(...lines: string[]) {
  return page(...lines).flatMap((example) => {
    const result = render(example);
    return "problems" in result ? result.problems.map(({ line, message }) => [line, message]) : [];
  });
}

/** Runs the one example of a page that imports nothing, as the generated test would. */
async function run(...lines: string[]): Promise<void> {
  const module = rendered(...lines).replace(/^import .*?;/, "");
  const { outputText } = ts.transpileModule(module, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  let started: Promise<void> | undefined;
  const $example = (where: string, asserted: number[], body: (check: Check) => Promise<void>) => {
    started = runExample(new Check(where, asserted), body);
  };
  new Function("$example", outputText)($example);
  if (started === undefined) throw new Error("the module declares no example");
  await started;
}

describe("an example that is run", () => {
  it("passes where its assertions hold", async () => {
    await run(
      "```ts",
      "const x = await Promise.resolve(0.27290321);",
      "x; // → 0.272903",
      'console.log("x", [1, 2]); // → x [ 1, 2 ]',
      "await Promise.resolve(x) // → 0.2729",
      'for (const i of [1, 2]) console.log("same"); // → same',
      "```",
    );
  });

  it.each([
    ["an expression", "1 + 1; // → 3", "docs/a.md:3: expected 3, got 2"],
    ["an expression without a semicolon", "1 + 1 // → 3", "docs/a.md:3: expected 3, got 2"],
    ["a sequence", "1, 2; // → 1", "docs/a.md:3: expected 1, got 2"],
    ["a console.log", 'console.log("a", 1); // → a 2', "docs/a.md:3: expected a 2, got a 1"],
    ["a console.log of nothing", "console.log(); // → a", "docs/a.md:3: expected a, got "],
    ["a nested statement", "{ [1].forEach(() => {\n2; // → 3\n}); }", "docs/a.md:4: expected 3, got 2"],
    ["a statement of several lines", "Math.max(\n1,\n2,\n); // → 3", "docs/a.md:6: expected 3, got 2"],
    ["an expectation on the line below", "2;\n// → 3", "docs/a.md:4: expected 3, got 2"],
    ["the second line of an expectation", 'console.log("a\\nb"); // → a\n// → c', "expected a\nc, got a\nb"],
    ["an assertion inside of a try", "try {\n1; // → 2\n} catch {}", "docs/a.md:4: expected 2, got 1"],
    ["an unreached assertion", "if (Date.now() < 0) {\n1; // → 1\n}", "docs/a.md:4: this line was never"],
    ["a throw", 'throw new Error("oh");', "oh"],
    ["a rejected await", 'await Promise.reject(new Error("oh"));', "oh"],
  ])("fails for %s that does not hold", async (_, code, message) => {
    await expect(run("```ts", code, "```")).rejects.toThrow(message);
  });

  it("takes an expectation of several lines, with their indentation", async () => {
    await run("```ts", 'console.log("a\\n  b");', "// → a", "// →   b", "```");
  });

  it("runs in an empty folder of its own, which is removed", async () => {
    const home = process.cwd();
    const seen = globalThis as { folder?: string };
    await run("```ts", "globalThis.folder = process.cwd();", "```");
    expect(seen.folder).not.toBe(home);
    expect(existsSync(seen.folder ?? home)).toBe(false);
    expect(process.cwd()).toBe(home);
  });

  it("shares its scope with the blocks that continue it", async () => {
    const blocks = ["```ts", "let a = 1;", "```", "text", "```ts continue", "a += 1;", "a; // → 3", "```"];
    await expect(run(...blocks)).rejects.toThrow("docs/a.md:8: expected 3, got 2");
  });

  it("keeps its lines, with leading imports in place and others moved to line 1", () => {
    const module = rendered(
      "```ts",
      'import { a } from "@gradus/core";',
      'import type { B } from "@gradus/core";',
      "a; // → 1",
      'import {\n  c,\n} from "@gradus/nn";',
      "export const d = 1;",
      "```",
      "text",
      "```ts continue",
      'import { e } from "@gradus/tensor";',
      "e;",
      "```",
    );
    expect(module.split("\n")).toEqual([
      'import { example as $example } from "../src/harness.js"; import { c, } from "@gradus/nn"; import { e } from "@gradus/tensor";',
      "",
      'import { a } from "@gradus/core";',
      'import type { B } from "@gradus/core"; $example("docs/a.md:2", [5], async ($check) => {',
      '$check.value(5, "1", (a)); // → 1',
      "",
      "",
      "",
      " const d = 1;",
      "",
      "",
      "",
      "",
      "e;",
      "});",
      "",
    ]);
  });

  it("may be empty", async () => {
    await run("```ts", "```");
  });
});

describe("an example that is not run", () => {
  it("is left as it is where only its types count", () => {
    expect(rendered("```ts types", "export declare const a: number;", "a; // → 3", "```")).toBe(
      "\n\nexport declare const a: number;\na; // → 3\n",
    );
  });

  it("stays at the top level where it declares tests", () => {
    const module = rendered(
      "```ts suite",
      'import { it } from "vitest";',
      "export const a = 1;",
      "a; // → 1",
      "```",
    );
    expect(module.split("\n").slice(2)).toEqual([
      'import { it } from "vitest";',
      "export const a = 1;",
      '$check.value(5, "1", (a)); // → 1',
      "$afterSuite($check);",
      "",
    ]);
  });
});

describe("a problem", () => {
  it.each([
    "const a = 1; // → 1",
    "for (;;) {} // → 1",
    "const f = () => { g(); }; // → 1",
    "f(); // note // → 1",
    "// → 1",
    "f();\n\n// → 1",
  ])("is an expectation that follows no expression: %j", (code) => {
    const row = code.split("\n").length - 1;
    const message = "`// →` must follow an expression statement, such as a call of console.log";
    expect(problemsOf("```ts", code, "```")).toEqual([[3 + row, message]]);
  });

  it("is an export of something other than a declaration", () => {
    expect(problemsOf("```ts", "const a = 1;", "export { a };", "```")).toEqual([
      [4, "an example that is run cannot hold `export { a };`. Export a declaration instead?"],
    ]);
  });

  it("becomes a test that fails", () => {
    expect(renderProblem({ file: "docs/a.md", line: 4, message: 'a "b"' })).toBe(
      'import { broken } from "../src/harness.js"; broken("docs/a.md:4", "a \\"b\\"");\n',
    );
  });
});
