import { expect, it } from "vitest";
import { fences, UnclosedFence } from "./fences.js";

const lines = (text: string) => text.split("\n").map((text, i) => ({ number: i + 1, text }));

it("finds blocks with their info strings, lines and code", () => {
  const text = ["# Title", "```ts continue", "a;", "", "b;", "```", "text", "```", "plain", "```"].join("\n");
  expect(fences(lines(text))).toEqual([
    { info: "ts continue", line: 2, end: 6, code: ["a;", "", "b;"] },
    { info: "", line: 8, end: 10, code: ["plain"] },
  ]);
});

it("removes the indentation of the opening line, and no more", () => {
  expect(fences(lines("- item\n  ```ts\n  if (a) {\n    b;\n  }\n\n  ```"))[0]?.code).toEqual([
    "if (a) {",
    "  b;",
    "}",
    "",
  ]);
});

it("closes a block only with as many of the same marks", () => {
  const text = "````md\n```ts\ninner;\n```\n````\n~~~ts\n```\n~~~";
  expect(fences(lines(text)).map(({ info, code }) => [info, code.length])).toEqual([
    ["md", 3],
    ["ts", 1],
  ]);
});

it("does not take inline code for a block", () => {
  expect(fences(lines("```ts``` is a mark\ntext"))).toEqual([]);
});

it("says which block is never closed", () => {
  expect(() => fences(lines("text\n```ts\na;"))).toThrow(new UnclosedFence(2));
});
