import { expect, it } from "vitest";
import { benchOptions, UsageError } from "./options.js";

it("measures everything in five rounds on one thread by default", () => {
  const { only, libs, rounds, threads, json } = benchOptions([]);
  expect({ only: only.test("anything"), libs: libs.test("any"), rounds, threads, json }).toEqual({
    only: true,
    libs: true,
    rounds: 5,
    threads: 1,
    json: false,
  });
});

it("takes what it is told", () => {
  const options = benchOptions([
    "--only",
    "^mlp",
    "--libs=gradus|torch",
    "--rounds",
    "2",
    "--threads=4",
    "--browser",
    "--json",
  ]);
  expect(options).toMatchObject({
    browser: true,
    only: /^mlp/,
    libs: /gradus|torch/,
    rounds: 2,
    threads: 4,
    json: true,
  });
});

it.each([["--rounds", "0"], ["--threads", "x"], ["--only", "("], ["--what"]])("refuses %s %s", (...args) => {
  expect(() => benchOptions(args)).toThrow(UsageError);
});
