import { describe, expect, it } from "vitest";
import { Check } from "./check.js";

const check = (...lines: number[]) => new Check("docs/a.md:3", lines);

describe("printed", () => {
  it("compares what console.log would print", () => {
    const example = check(4, 5, 6, 7);
    example.printed(4, "loss 0.5 [ 1, 2 ]", "loss", 0.5, [1, 2]);
    example.printed(5, "3 of 4", "%d of %d", 3, 4);
    example.printed(6, "", "");
    example.printed(7, "one\n  two", "one  \n  two\n");
    example.finish();
  });

  it("wants every digit of a number", () => {
    const example = check(4);
    example.printed(4, "0.3", 0.1 + 0.2);
    expect(() => example.finish()).toThrow("docs/a.md:4: expected 0.3, got 0.30000000000000004");
  });
});

describe("value", () => {
  it("compares numbers in the digits that are written, and other values as they print", () => {
    const example = check(4, 5, 6, 7, 8);
    example.value(4, "0.3", 0.1 + 0.2);
    example.value(5, "NaN", Number.NaN);
    example.value(6, "minimum", "minimum");
    example.value(7, "{ a: 1n }", { a: 1n });
    example.value(8, "undefined", undefined);
    example.finish();
  });

  it("does not take text for a number", () => {
    const example = check(4);
    example.value(4, "0.30", "0.3");
    expect(() => example.finish()).toThrow("docs/a.md:4: expected 0.30, got 0.3");
  });
});

describe("finish", () => {
  it("reports every assertion that failed", () => {
    const example = check(4, 5, 6);
    example.value(4, "1", 2);
    example.value(5, "1", 1);
    example.printed(6, "a", "b");
    expect(() => example.finish()).toThrow("docs/a.md:4: expected 1, got 2\ndocs/a.md:6: expected a, got b");
  });

  it("reports an assertion that was never reached", () => {
    const example = check(4, 5);
    example.value(4, "1", 1);
    expect(() => example.finish()).toThrow("docs/a.md:5: this line was never reached");
  });

  it("reports a failure in a loop that is followed by success", () => {
    const example = check(4);
    example.value(4, "1", 2);
    example.value(4, "1", 1);
    expect(() => example.finish()).toThrow("docs/a.md:4: expected 1, got 2");
  });
});
