import { describe, expect, it } from "vitest";
import { scalar } from "./scalar.js";
import { type Tensor, tensorSymbol } from "./tensor.js";
import {
  checkSameStructure,
  flattenTree,
  formatPath,
  mapLeaves,
  mapTree,
  mapTreeWithPath,
  TREE,
  tensorsOf,
} from "./tree.js";

/** Trees only ask whether something is a tensor. */
function fake(value: number): Tensor {
  return { [tensorSymbol]: true, value } as unknown as Tensor;
}

const numberIn = (x: Tensor): number => (x as unknown as { value: number }).value;

describe("trees", () => {
  it("are mapped leaf by leaf, constants and scalars kept", () => {
    const tree = { w: fake(1), list: [fake(2), "name", null, undefined], step: scalar(3), n: 4 };
    const mapped = mapTree(tree, (x) => fake(numberIn(x) * 10));
    expect(numberIn(mapped.w)).toBe(10);
    expect(numberIn(mapped.list[0] as Tensor)).toBe(20);
    expect([mapped.list.slice(1), mapped.step.value, mapped.n]).toEqual([["name", null, undefined], 3, 4]);
    expect(Object.keys(mapped)).toEqual(["w", "list", "step", "n"]);
  });

  it("are mapped together with others of the same structure, in whatever order keys were written", () => {
    const sum = mapTree({ a: fake(1), b: fake(2) }, (x, y) => fake(numberIn(x) + numberIn(y as Tensor)), {
      b: fake(20),
      a: fake(10),
    });
    expect([numberIn(sum.a), numberIn(sum.b)]).toEqual([11, 22]);
  });

  it("tell where their leaves are", () => {
    const names: string[] = [];
    mapTreeWithPath({ layers: [{ weight: fake(1) }], bias: fake(2) }, (path, x) => {
      names.push(`${formatPath(path)}=${numberIn(x)}`);
      return x;
    });
    expect(names).toEqual(["layers.0.weight=1", "bias=2"]);
    expect(formatPath([])).toBe("(root)");
  });

  it("are taken apart and put together again", () => {
    const flat = flattenTree({ b: [fake(1), scalar(2)], a: fake(3) });
    expect(flat.leaves.length).toBe(3);
    const rebuilt = flat.rebuild(
      flat.leaves.map((leaf, i) => ("value" in leaf && i === 0 ? fake(30) : leaf)),
    );
    expect(numberIn(rebuilt.b[0] as Tensor)).toBe(30);
    expect(tensorsOf(rebuilt).map(numberIn)).toEqual([30, 3]);
  });

  it("include objects of classes that say how", () => {
    class Pair {
      constructor(readonly first: Tensor) {}
      get [TREE](): { children: readonly unknown[]; rebuild(children: readonly unknown[]): Pair } {
        return { children: [this.first], rebuild: ([first]) => new Pair(first as Tensor) };
      }
    }
    const mapped = mapLeaves({ pair: new Pair(fake(5)) }, () => fake(6));
    expect(mapped.pair).toBeInstanceOf(Pair);
    expect(numberIn(mapped.pair.first)).toBe(6);
    expect(() => flattenTree({ x: new Date(0) })).toThrow("tree: x is an object of class Date");
  });

  it("of different structure are refused, with the first place", () => {
    const tree = { a: fake(1), b: [fake(2)] };
    expect(() => checkSameStructure(tree, { a: fake(1) })).toThrow("there is no leaf at b.0");
    expect(() => checkSameStructure(tree, { ...tree, c: fake(3) })).toThrow("unexpected leaf at c");
    expect(() => checkSameStructure(tree, { a: scalar(1), b: [fake(2)] })).toThrow(
      "constants or kinds of leaves differ",
    );
    expect(() => checkSameStructure({ n: 1 }, { n: 2 })).toThrow(
      expect.objectContaining({ code: "tree-mismatch" }),
    );
    expect(() => mapTree(tree, (x) => x, { a: fake(1), b: [] })).toThrow(
      expect.objectContaining({ code: "tree-mismatch" }),
    );
  });
});
