import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { oracle } from "./oracle.js";

const folder = mkdtempSync(join(tmpdir(), "oracle-"));
const vector = (...data: (number | string)[]) => ({ dtype: "float64", shape: [data.length], data });
const scalar = (value: number | string) => ({ dtype: "float64", shape: [], data: [value] });
const caseOf = (id: string, op: string, output: object, more: object = {}) => ({
  id,
  op,
  options: {},
  inputs: { input: vector(1, -2) },
  outputs: [output],
  ...more,
});

const right = caseOf("abs/right", "abs", vector(1, 2), {
  cotangents: [vector(3, 4)],
  grads: { input: vector(3, -4) },
});
const wrong = caseOf("abs/wrong", "abs", vector(1, 2), {
  cotangents: [vector(3, 4)],
  grads: { input: vector(3, 4) },
});
const unknown = caseOf("bessel/some", "bessel", vector(1, 2));

function write(name: string, sections: object): void {
  writeFileSync(join(folder, name), JSON.stringify({ schema: "oracle-golden/1", ...sections }));
}

beforeAll(() => {
  write("right.json", { cases: [right] });
  write("wrong.json", { cases: [right, wrong] });
  write("unsupported.json", { cases: [right, unknown] });
  mkdirSync(join(folder, "golden"));
  writeFileSync(
    join(folder, "golden", "a.json"),
    JSON.stringify({ schema: "oracle-golden/1", cases: [right] }),
  );
});

async function run(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await oracle(args, {
    folder,
    goldenFolder: join(folder, "golden"),
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err };
}

it("exits with 0 if everything passes, and ends with the counts", async () => {
  const { code, out } = await run("right.json");
  expect([code, out.at(-1)]).toEqual([0, "1 passed, 0 failed"]);
});

it("runs its own golden files if none are named", async () => {
  expect((await run()).out).toEqual(["a.json: 1 passed, 0 failed", "1 passed, 0 failed"]);
});

it("exits with 1 for a failure, and shows expected, got and the first difference", async () => {
  const { code, out } = await run("wrong.json");
  expect(code).toBe(1);
  expect(out.at(-1)).toBe("1 passed, 1 failed");
  const text = out.join("\n");
  expect(text).toContain("FAILED cases:abs/wrong");
  expect(text).toContain("grads.input: at [1]: -4, not 4; max error 8");
  expect(text).toMatch(/expected \[2\] 3, 4\n +got +\[2\] 3, -4/);
});

it("counts what is not supported as failed, unless told otherwise, and lists it either way", async () => {
  const counted = await run("unsupported.json");
  expect([counted.code, counted.out.at(-1)]).toEqual([1, "1 passed, 1 failed"]);
  const left = await run("unsupported.json", "--supported");
  expect([left.code, left.out.at(-1)]).toEqual([0, "1 passed, 0 failed"]);
  for (const { out } of [counted, left]) expect(out.join("\n")).toMatch(/not supported:\n +bessel/);
});

it("adds up several files", async () => {
  expect((await run("wrong.json", "golden")).out.at(-1)).toBe("2 passed, 1 failed");
});

it("runs the cases that --only names, by id or by file, section and id", async () => {
  expect((await run("wrong.json", "--only", "^abs/r")).out.at(-1)).toBe("1 passed, 0 failed");
  expect((await run("wrong.json", "--only=^wrong.json:cases:abs/w")).out.at(-1)).toBe("0 passed, 1 failed");
  expect((await run("wrong.json", "--only", "nothing")).code).toBe(2);
});

it.each<[string, string[], RegExp]>([
  ["an unknown option", ["--fast"], /unknown option --fast/],
  ["threads that are none", ["--backend", "cpu", "--threads", "0"], /--threads must be a whole number/],
  ["threads where there are none", ["--threads", "2"], /the backend interpreter has no threads/],
  ["an option without its value", ["--backend"], /--backend needs a value/],
  ["a value where none belongs", ["--all=1"], /--all takes no value/],
  ["an unknown backend", ["--backend", "abacus"], /unknown backend. There are: interpreter, interpreter-f32/],
  ["a pattern that is none", ["--only", "["], /Invalid regular expression/],
  ["a file that is not there", ["none.json"], /none\.json: no such file/],
])("exits with 2 for %s", async (_, args, message) => {
  const { code, out, err } = await run(...args);
  expect([code, out]).toEqual([2, []]);
  expect(err.join("\n")).toMatch(message);
});

it("prints at most 20 failures of a file, unless told otherwise", async () => {
  write("many.json", { cases: Array.from({ length: 25 }, (_, i) => ({ ...wrong, id: `abs/${i}` })) });
  const printed = async (...args: string[]) =>
    (await run("many.json", ...args)).out.filter((line) => line.includes("FAILED")).length;
  expect(await printed()).toBe(20);
  expect(await printed("--all")).toBe(25);
});

it("computes in float32 on interpreter-f32, and compares as such", async () => {
  const third = caseOf("div/third", "div", vector(1 / 3, -2 / 3), {
    inputs: { input: vector(1, -2), other: scalar(3) },
  });
  const coarse = caseOf("div/coarse", "div", vector(0.3333, -0.6667), {
    inputs: { input: vector(1, -2), other: scalar(3) },
  });
  write("thirds.json", { cases: [third, coarse] });
  expect((await run("thirds.json", "--backend", "interpreter-f32")).out.at(-1)).toBe("1 passed, 1 failed");
});

it("computes on the graphics card, and waits there for what depends on values", async () => {
  const mask = { dtype: "bool", shape: [3], data: [1, 0, 1] };
  const selected = caseOf("masked_select/some", "masked_select", vector(1, 3), {
    inputs: { input: vector(1, 2, 3), mask },
    cotangents: [vector(5, 7)],
    grads: { input: vector(5, 0, 7) },
  });
  write("masked.json", { cases: [right, selected] });
  expect((await run("masked.json", "--backend", "gpu")).out.at(-1)).toBe("2 passed, 0 failed");
});

it("lists what it translates, and explains itself", async () => {
  expect((await run("--list")).out.join("\n")).toMatch(/^ops: .*\bmatmul\b.*\nlosses: .*MSELoss/);
  expect((await run("--help")).out.join("\n")).toContain("--supported");
});
