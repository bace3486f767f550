import { describe, expect, it } from "vitest";
import {
  type CosineOptions,
  chained,
  constant,
  cosine,
  cosineAnnealing,
  cosineWarmRestarts,
  exponential,
  inverseSqrt,
  linearDecay,
  multiplicative,
  multiStep,
  polynomial,
  scheduleAt,
  sequence,
  stepDecay,
  warmup,
} from "./index.js";

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

describe("closed forms", () => {
  const half = Math.SQRT1_2;
  it.each<[string, (step: number) => number, number[]]>([
    ["constant", constant({ from: 0.3, steps: 2 }), [0.1, 0.1, 0.3, 0.3]],
    ["constant of no steps", constant({ from: 0.3, steps: 0 }), [0.3, 0.3]],
    ["stepDecay", stepDecay({ from: 1, every: 2, gamma: 0.5 }), [1, 1, 0.5, 0.5, 0.25]],
    ["multiStep", multiStep({ from: 1, milestones: [1, 3], gamma: 0.5 }), [1, 0.5, 0.5, 0.25, 0.25]],
    ["multiplicative", multiplicative({ from: 1, factor: (t) => 1 / t }), [1, 1, 1 / 2, 1 / 6, 1 / 24]],
    ["exponential", exponential({ from: 2, gamma: 0.5 }), [2, 1, 0.5, 0.25]],
    ["polynomial", polynomial({ from: 9, to: 1, steps: 2, power: 2 }), [9, 3, 1, 1]],
    ["linearDecay", linearDecay({ from: 1, steps: 4 }), [1, 0.75, 0.5, 0.25, 0, 0]],
    ["linearDecay upwards", linearDecay({ from: 0.1, to: 0.3, steps: 2 }), [0.1, 0.2, 0.3, 0.3]],
    ["cosineAnnealing", cosineAnnealing({ from: 1, to: 0, steps: 2 }), [1, 0.5, 0, 0.5, 1, 0.5]],
    [
      "cosineWarmRestarts",
      cosineWarmRestarts({ from: 1, steps: 2, growth: 2 }),
      [1, 0.5, 1, 0.5 + half / 2, 0.5, 0.5 - half / 2, 1],
    ],
    ["cosineWarmRestarts of one length", cosineWarmRestarts({ from: 1, steps: 2 }), [1, 0.5, 1, 0.5, 1]],
    ["inverseSqrt", inverseSqrt({ from: 1 }), [1, half, Math.sqrt(1 / 3), 0.5]],
    ["inverseSqrt after a warm-up", inverseSqrt({ from: 1, warmup: 1 }), [0.5, 1, Math.sqrt(2 / 3), half]],
    ["warmup", warmup((t) => 2 - t, 1), [1, 2, 1, 0]],
    ["warmup of a number", warmup(0.3, 2), [0.1, 0.2, 0.3, 0.3]],
    ["sequence", sequence([0.5, (t) => 1 + t, 7], [1, 3]), [0.5, 1, 2, 7, 7]],
    ["chained", chained(2, (t) => t, exponential({ from: 1, gamma: 0.5 })), [0, 1, 1, 0.75]],
  ])("%s, in any order of steps", (_, schedule, want) => {
    const steps = want.map((_, step) => step);
    for (const step of [...steps, ...[...steps].reverse()]) {
      expect(schedule(step)).toBeCloseTo(want[step] as number, 14);
    }
  });

  it.each<[string, () => unknown]>([
    ["constant: from must be", () => constant({ from: -1 })],
    ["constant: factor must be", () => constant({ from: 1, factor: -1 })],
    [
      "constant: steps must be a whole number of at least 0, got 0.5",
      () => constant({ from: 1, steps: 0.5 }),
    ],
    ["stepDecay: every must be a whole number of at least 1, got 0", () => stepDecay({ from: 1, every: 0 })],
    [
      "multiStep: milestones must be whole numbers above 0 that rise, got 3, 2",
      () => multiStep({ from: 1, milestones: [3, 2] }),
    ],
    ["multiplicative: from must be", () => multiplicative({ from: -1, factor: () => 1 })],
    ["exponential: gamma must be", () => exponential({ from: 1, gamma: -0.9 })],
    ["polynomial: power must be", () => polynomial({ from: 1, steps: 2, power: -1 })],
    ["linearDecay: steps must be", () => linearDecay({ from: 1, steps: 0 })],
    ["cosineAnnealing: to must be", () => cosineAnnealing({ from: 1, to: -1, steps: 1 })],
    ["cosineWarmRestarts: growth must be", () => cosineWarmRestarts({ from: 1, steps: 1, growth: 0.5 })],
    ["inverseSqrt: warmup must be", () => inverseSqrt({ from: 1, warmup: -1 })],
    ["warmup: schedule must be a number of at least 0, got -1", () => warmup(-1, 2)],
    ["sequence: 2 schedules need 1 milestones, got 2", () => sequence([1, 1], [2, 4])],
    ["chained: a schedule must be a number of at least 0, got -1", () => chained(1, -1)],
  ])("refuses: %s", (message, call) => {
    expect(call).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(call).toThrow(message);
  });
});
