import { expect, it } from "vitest";
import { docCommentFences } from "./doc-comments.js";

it("finds the blocks below @example, with their lines in the file", () => {
  const source = `import { a } from "./a.js";

/**
 * Doubles.
 *
 * @example
 * \`\`\`ts
 * if (a) {
 *   double(a); // → 2
 * }
 * \`\`\`
 */
export function double() {}
`;
  expect(docCommentFences(source)).toEqual([
    [{ info: "ts", line: 7, end: 11, code: ["if (a) {", "  double(a); // → 2", "}"] }],
  ]);
});

it("leaves out blocks outside of @example, and keeps each comment's blocks apart", () => {
  const source = `/**
 * \`\`\`ts
 * formula
 * \`\`\`
 * @example Twice
 * \`\`\`ts
 * import { x } from "@gradus/core";
 * @decorated class A {}
 * \`\`\`
 * and then
 * \`\`\`ts
 * two;
 * \`\`\`
 * @returns
 * \`\`\`ts
 * not;
 * \`\`\`
 */
export const a = 1;
export interface B {
  /** @example
   * \`\`\`ts
   * three;
   * \`\`\`
   */
  member: number;
}
`;
  expect(docCommentFences(source).map((blocks) => blocks.map(({ code }) => code.at(0)))).toEqual([
    ['import { x } from "@gradus/core";', "two;"],
    ["three;"],
  ]);
});

it("is not misled by comment marks in strings", () => {
  const source = `const glob = "src/**/*.ts";
const text = \`/** @example
 * \\\`\\\`\\\`ts
 * no;
 * \\\`\\\`\\\`
 */\`;
/* @example
\`\`\`ts
no;
\`\`\`
*/
const other = 1;
`;
  expect(docCommentFences(source)).toEqual([]);
});
