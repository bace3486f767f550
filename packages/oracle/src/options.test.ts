import { expect, it } from "vitest";
import { Lab } from "./lab.js";
import { Options } from "./options.js";

const of = (values: object) =>
  new Options(values as Readonly<Record<string, unknown>>, "op", new Lab(false, {}));

it("reads numbers, also those that JSON has as strings", () => {
  const options = of({ p: "Infinity", dim: [0, 2], keepdim: true, eps: null });
  expect([options.number("p"), options.numbers("dim"), options.boolean("keepdim", false)]).toEqual([
    Infinity,
    [0, 2],
    true,
  ]);
  expect(options.number("eps", 5)).toBe(5);
  expect(() => options.finish()).not.toThrow();
});

it("does not let an option pass that nobody read", () => {
  const options = of({ dim: 1, ceil_mode: true, dtype: null });
  options.number("dim");
  expect(() => options.finish()).toThrow("op with ceil_mode");
});

it("names a missing option, and one of another type", () => {
  expect(() => of({}).number("dim")).toThrow("op with dim missing");
  expect(() => of({ dim: "x" }).number("dim")).toThrow('op with dim "x" (expected a number)');
});
