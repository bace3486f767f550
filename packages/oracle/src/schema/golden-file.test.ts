import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseGoldenFile, readGoldenFiles } from "./golden-file.js";

const schema = "oracle-golden/1";
const number = { dtype: "float64", shape: [], data: [1] };
const exp = { id: "exp/1", op: "exp", options: {}, inputs: { input: number }, outputs: [number] };
const parse = (sections: object) => parseGoldenFile("some.json", { schema, ...sections });

it("tells cases of a section called cases by their fields", () => {
  const mse = { id: "a", loss: "MSELoss", options: {}, inputs: {}, reductions: {} };
  const jvp = { ...exp, id: "b", kind: "jvp", tangents: {}, jvp: [] };
  expect(parse({ cases: [exp, mse, jvp] }).cases.map(({ kind }) => kind)).toEqual([
    "autograd",
    "losses",
    "jvp",
  ]);
});

it.each<[string, object, RegExp]>([
  ["another schema", { schema: "oracle-golden/2", cases: [] }, /schema is "oracle-golden\/2", expected/],
  ["no section", {}, /no section/],
  [
    "a section that the schema does not have",
    { things: [exp] },
    /things: exp\/1: the schema has no such kind/,
  ],
  ["a case without id", { cases: [{ op: "exp" }] }, /cases\[0\] has no id/],
  ["an id that is there twice", { cases: [exp, exp] }, /exp\/1: the id is there twice/],
  ["a missing field", { cases: [{ ...exp, outputs: undefined }] }, /exp\/1: outputs must be a list/],
  [
    "data that does not fill the shape",
    { cases: [{ ...exp, outputs: [{ ...number, shape: [2] }] }] },
    /exp\/1\.outputs\[0\]: 1 numbers do not fill the shape \[2\]/,
  ],
  [
    "an unknown dtype",
    { cases: [{ ...exp, inputs: { input: { ...number, dtype: "f64" } } }] },
    /inputs\.input: unknown dtype "f64"/,
  ],
  [
    "a string that is no number",
    { cases: [{ ...exp, outputs: [{ ...number, data: ["inf"] }] }] },
    /"inf" is no number/,
  ],
  ["a tolerance without atol", { tolerance: { float64: { rtol: 1 } }, cases: [exp] }, /rtol and atol/],
])("rejects %s", (_, sections, message) => {
  expect(() => parse(sections)).toThrow(message);
});

it("takes every golden file of a directory, and passes over what has no schema", () => {
  const folder = mkdtempSync(join(tmpdir(), "oracle-"));
  writeFileSync(join(folder, "b.json"), JSON.stringify({ schema, cases: [exp] }));
  writeFileSync(join(folder, "a.json"), JSON.stringify({ schema, clipping: [] }));
  writeFileSync(join(folder, "numbers.json"), "{}");
  writeFileSync(join(folder, "README.md"), "");
  const notes: string[] = [];
  const files = readGoldenFiles([folder], (note) => notes.push(note));
  expect(files.map(({ name, cases }) => [name, cases.length])).toEqual([
    ["a.json", 0],
    ["b.json", 1],
  ]);
  expect(notes).toEqual([expect.stringContaining("numbers.json")]);
});

it("names the file that is not JSON, or not there", () => {
  const folder = mkdtempSync(join(tmpdir(), "oracle-"));
  writeFileSync(join(folder, "a.json"), "{");
  const ignore = (): void => {};
  expect(() => readGoldenFiles([join(folder, "a.json")], ignore)).toThrow(/a\.json: not JSON/);
  expect(() => readGoldenFiles([join(folder, "b.json")], ignore)).toThrow(/b\.json: no such file/);
});
