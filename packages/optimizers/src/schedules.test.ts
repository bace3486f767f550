import { describe, expect, it } from "vitest";
import { type CosineOptions, cosine, scheduleAt } from "./index.js";

describe("cosine", () => {
  it("falls along half a cosine and stays", () => {
    const rate = cosine({ from: 0.1, to: 0.02, steps: 4 });
    const half = Math.SQRT1_2;
    [0.1, 0.06 + 0.04 * half, 0.06, 0.06 - 0.04 * half, 0.02, 0.02].forEach((want, step) => {
      expect(rate(step)).toBeCloseTo(want, 15);
    });
    expect(rate(1e9)).toBe(0.02);
  });

  it("rises evenly to the top first", () => {
    const rate = cosine({ from: 1, steps: 13, warmup: 3 });
    [0.25, 0.5, 0.75, 1].forEach((want, step) => {
      expect(rate(step)).toBeCloseTo(want, 15);
    });
    expect(rate(8)).toBeCloseTo(0.5, 15);
    expect(rate(13)).toBe(0);
  });

  it.each<[Partial<CosineOptions>, string]>([
    [{ from: -1 }, "from must be a number of at least 0"],
    [{ to: Number.NaN }, "to must be a number of at least 0"],
    [{ steps: 0 }, "steps must be a whole number of at least 1"],
    [{ steps: 2.5 }, "steps must be a whole number of at least 1"],
    [{ warmup: 10 }, "warmup must be a whole number from 0 to steps - 1 = 9, got 10"],
    [{ warmup: -1 }, "warmup must be a whole number"],
  ])("refuses %o", (options, message) => {
    const call = () => cosine({ from: 1, steps: 10, ...options });
    expect(call).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(call).toThrow(message);
  });
});

describe("scheduleAt", () => {
  it("gives the number, or calls the function", () => {
    expect(scheduleAt(0.5, 100)).toBe(0.5);
    expect(scheduleAt((step) => 2 * step, 4)).toBe(8);
  });

  it("refuses what is not a finite number, naming the step", () => {
    expect(() => scheduleAt((step) => 1 / (step - 3), 3)).toThrow("the schedule gives Infinity at step 3");
  });
});
