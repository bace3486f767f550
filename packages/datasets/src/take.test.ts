import { describe, expect, it } from "vitest";
import { diabetes } from "./diabetes.js";
import { iris } from "./iris.js";
import { take } from "./take.js";

describe("take", () => {
  it("copies rows in the order given, repeats included", () => {
    const { x, y, rows } = take(iris(), [149, 0, 149]);
    expect(rows).toBe(3);
    expect(x).toEqual(Float32Array.of(5.9, 3.0, 5.1, 1.8, 5.1, 3.5, 1.4, 0.2, 5.9, 3.0, 5.1, 1.8));
    expect(y).toEqual(Int32Array.of(2, 0, 2));
  });

  it("keeps the kind of the target", () => {
    expect(take(diabetes(), [0]).y).toEqual(Float32Array.of(151));
  });

  it("shares no memory with the data set", () => {
    const data = iris();
    take(data, [0]).x[0] = 7;
    expect(data.x[0]).toBe(Math.fround(5.1));
  });

  it.each([150, -1, 0.5, Number.NaN])("refuses row %d", (row) => {
    expect(() => take(iris(), [row])).toThrow(
      new RangeError(`take: iris has rows 0 to 149, and no row ${row}`),
    );
  });
});
