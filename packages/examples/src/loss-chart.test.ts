import { describe, expect, it } from "vitest";
import { lossChart } from "./loss-chart.js";

const falling = Array.from({ length: 30 }, (_, i) => 2 * 0.9 ** i);
const line = (values: readonly number[]) => ({ name: "train", values, mark: "line" }) as const;
const marks = (values: readonly number[]) => ({ name: "validation", values, mark: "o" }) as const;

describe("lossChart", () => {
  it("draws an exponential decay as a straight line, with round numbers at the axes", () => {
    const rows = lossChart([line(falling)]).split("\n");
    expect(rows[0]?.trim()).toBe("⠤⠤ train");
    const plot = rows.slice(1, -2).map((row) => row.slice(9));
    expect(plot.length).toBe(14);
    // 14 x 4 dots downwards, 60 x 2 to the right: a row of text is as long as its share of the line.
    for (const [i, row] of plot.entries()) {
      const expected = (((4 * i) / 55) * 119) / 2;
      expect(Math.abs(row.search(/[⠁-⣿]/) - expected)).toBeLessThanOrEqual(2);
    }
    const ticks = rows.map((row) => /^ *([\d.]+) ┤/.exec(row)?.[1]).filter((tick) => tick !== undefined);
    expect(ticks).toEqual(["2", "1", "0.5", "0.2", "0.1"]);
    expect(rows.at(-1)).toMatch(/^ {9}1 +5 +10 +15 +20 +25 +30 {2}epoch$/);
  });

  it("marks the points of a second curve", () => {
    const rows = lossChart([line(falling), marks(falling.map((value) => value + 0.5))]).split("\n");
    expect(rows[0]?.trim()).toBe("⠤⠤ train    o validation");
    expect(rows.slice(1).join("").replaceAll(/[^o]/g, "").length).toBe(31);
  });

  it("takes what there is: one epoch, equal values, gaps, nothing", () => {
    expect(lossChart([line([0.5])])).toContain("⠁");
    expect(lossChart([line([1, 1, 1])])).toContain("1 ┤");
    expect(lossChart([line([1, Number.NaN, 0, Infinity, 0.5])])).toContain("0.5 ┤");
    expect(lossChart([line([])])).toBe("(no losses to draw)");
    expect(lossChart([line([Number.NaN])])).toBe("(no losses to draw)");
  });
});
