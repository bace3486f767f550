import { expect, it } from "vitest";
import { examples } from "./example.js";

const block = (info: string, line: number) => ({ info, line, end: line + 2, code: ["a;"] });
const sort = (...infos: string[]) =>
  examples(
    "docs/a.md",
    infos.map((info, i) => block(info, 10 * (i + 1))),
  );

it("makes each ts block an example of its own and passes other languages over", () => {
  const { examples: found, problems } = sort("ts", "sh", "", "tsx", "ts types", "ts suite");
  expect(problems).toEqual([]);
  expect(found.map(({ line, mode }) => [line, mode])).toEqual([
    [10, "run"],
    [50, "types"],
    [60, "suite"],
  ]);
});

it("appends a block that continues, over blocks of other languages", () => {
  const { examples: found } = sort("ts", "text", "ts continue", "ts");
  expect(found.map(({ blocks }) => blocks.map(({ line }) => line))).toEqual([[10, 30], [40]]);
});

it("passes over what is only shown", () => {
  expect(sort("ts ignore")).toEqual({ examples: [], problems: [] });
});

it.each([
  [["ts continue"], 10],
  [["ts", "ts ignore", "ts continue"], 30],
  [["ts igonre"], 10],
  [["ts run"], 10],
  [["ts types continue"], 10],
])("reports %j", (infos, line) => {
  const { problems } = sort(...infos);
  expect(problems.map((problem) => [problem.file, problem.line])).toEqual([["docs/a.md", line]]);
});
