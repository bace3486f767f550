import { describe, expect, it } from "vitest";
import { parseNumericCsv } from "./csv.js";

describe("parseNumericCsv", () => {
  it("gives the header and the numbers row by row", () => {
    const table = parseNumericCsv("a,b\n1,2.5\n-3,4e2\n", "t.csv");
    expect(table.header).toEqual(["a", "b"]);
    expect(table.rows).toBe(2);
    expect([...table.values]).toEqual([1, 2.5, -3, 400]);
  });

  it("takes Windows line breaks and a missing final line break", () => {
    expect([...parseNumericCsv("a,b\r\n1,2\r\n3,4", "t.csv").values]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ["a,b\n1,2\n3\n", "t.csv: line 3, column 2: 1 field, but the header has 2"],
    ["a,b\n1,2,3\n", "t.csv: line 2, column 3: 3 fields, but the header has 2"],
    ["a,b\n\n1,2\n", "t.csv: line 2, column 2: 1 field, but the header has 2"],
    ["a,b\n1,2\n3,x\n", 't.csv: line 3, column 2 (b): "x" is not a finite number'],
    ["a,b\n,2\n", 't.csv: line 2, column 1 (a): "" is not a finite number'],
    ["a,b\n1, \n", 't.csv: line 2, column 2 (b): " " is not a finite number'],
    ["a,b\n1,Infinity\n", 't.csv: line 2, column 2 (b): "Infinity" is not a finite number'],
    ["", "t.csv: no header line"],
  ])("refuses %j and says where", (text, message) => {
    expect(() => parseNumericCsv(text, "t.csv")).toThrow(new Error(message));
  });
});
