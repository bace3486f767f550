import { expect, it } from "vitest";
import { fail, GradusError, isGradusError } from "./errors.js";

it("fail throws an error with a code", () => {
  expect(() => fail("not-scalar", "item: one element was needed")).toThrow(GradusError);
  expect(() => fail("not-scalar", "item: one element was needed")).toThrow("item: one element was needed");
});

it("errors are recognised by name and code, also those of another copy of the library", () => {
  const foreign = Object.assign(new Error("x"), { name: "GradusError", code: "disposed" });
  for (const error of [new GradusError("disposed", "x"), foreign]) {
    expect(isGradusError(error)).toBe(true);
    expect(isGradusError(error, "disposed")).toBe(true);
    expect(isGradusError(error, "donated")).toBe(false);
  }
  expect(isGradusError(new Error("x"))).toBe(false);
  expect(isGradusError({ name: "GradusError", code: "disposed" })).toBe(false);
});

it("keeps its cause", () => {
  const cause = new Error("why");
  expect(new GradusError("out-of-memory", "x", { cause }).cause).toBe(cause);
});
