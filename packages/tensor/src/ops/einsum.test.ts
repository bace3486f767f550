import type { Tensor } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { arange } from "../create.js";
import { einsum } from "./einsum.js";

const filled = (...shape: number[]): Tensor =>
  arange(shape.reduce((a, b) => a * b, 1))
    .cast("f64")
    .remainder(7)
    .sub(3)
    .reshape(shape);

/** The definition: a sum over all values of all letters. */
function naive(equation: string, ...operands: Tensor[]): number[] {
  const [left, output] = equation.split("->") as [string, string];
  const terms = left.split(",");
  const sizes: Record<string, number> = {};
  terms.forEach((term, k) => {
    [...term].forEach((letter, axis) => {
      sizes[letter] = operands[k]?.shape[axis] as number;
    });
  });
  const values = operands.map((x) => x.data());
  const letters = [...new Set([...output, ...Object.keys(sizes)])];
  const result = new Array<number>([...output].reduce((n, letter) => n * (sizes[letter] as number), 1)).fill(
    0,
  );
  const at: Record<string, number> = {};
  const position = (term: string): number =>
    [...term].reduce((index, letter) => index * (sizes[letter] as number) + (at[letter] as number), 0);
  const walk = (depth: number): void => {
    const letter = letters[depth];
    if (letter === undefined) {
      const product = terms.reduce((p, term, k) => p * (values[k]?.[position(term)] as number), 1);
      result[position(output)] = (result[position(output)] as number) + product;
      return;
    }
    for (let i = 0; i < (sizes[letter] as number); i++) {
      at[letter] = i;
      walk(depth + 1);
    }
  };
  walk(0);
  return result;
}

describe("einsum", () => {
  it.each<[string, number[][]]>([
    [
      "ij,jk->ik",
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      "ij,jk->ki",
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      "bij,bjk->bik",
      [
        [2, 2, 3],
        [2, 3, 2],
      ],
    ],
    [
      "ij,ij->",
      [
        [2, 3],
        [2, 3],
      ],
    ],
    ["i,j->ij", [[2], [3]]],
    [
      "bhqd,bhkd->bhqk",
      [
        [2, 2, 2, 3],
        [2, 2, 4, 3],
      ],
    ],
    ["ij->ji", [[2, 3]]],
    ["ijk->j", [[2, 3, 4]]],
    ["ii->", [[3, 3]]],
    ["ii->i", [[3, 3]]],
    ["iji->ij", [[3, 2, 3]]],
    [
      "ij,jk,kl->il",
      [
        [2, 3],
        [3, 4],
        [4, 2],
      ],
    ],
    [
      "ij,ik,il->jkl",
      [
        [2, 3],
        [2, 4],
        [2, 2],
      ],
    ],
    [
      "ij,kl->",
      [
        [2, 3],
        [4, 2],
      ],
    ],
    ["ai,bi,i->ab", [[2, 3], [4, 3], [3]]],
    [
      "iij,jk->k",
      [
        [2, 2, 3],
        [3, 2],
      ],
    ],
  ])("%s is its definition", (equation, shapes) => {
    const operands = shapes.map((shape) => filled(...shape));
    expect([...einsum(equation, ...operands).data()]).toEqual(naive(equation, ...operands));
  });

  it("finds the result's letters where none are given", () => {
    expect(einsum("ba", filled(2, 3)).shape).toEqual([3, 2]);
    expect(einsum("ij,jk", filled(2, 3), filled(3, 4)).shape).toEqual([2, 4]);
    expect(einsum("i,i", filled(3), filled(3)).shape).toEqual([]);
    expect(einsum("ii", filled(3, 3)).shape).toEqual([]);
  });

  it("broadcasts what an ellipsis stands for", () => {
    const [a, b] = [filled(5, 1, 2, 3), filled(4, 3, 2)];
    expect(einsum("...ij,...jk->...ik", a, b).toArray()).toEqual(a.matmul(b).toArray());
    expect(einsum("...ij,...jk", a, b).toArray()).toEqual(a.matmul(b).toArray());
    expect(einsum("...i->i...", filled(2, 4, 3)).shape).toEqual([3, 2, 4]);
    expect(einsum("...,...->...", filled(2), filled()).toArray()).toEqual(filled(2).mul(-3).toArray());
  });

  it("sums over nothing to zero", () => {
    expect(einsum("ij,jk->ik", filled(2, 0), filled(0, 2)).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(einsum("ii->i", filled(0, 0)).shape).toEqual([0]);
  });

  it("names what does not fit", () => {
    const x = filled(2, 3);
    expect(() => einsum("ij,jk->ik", x)).toThrow("einsum: expected letters for each of 1 operands");
    expect(() => einsum("i->i", x)).toThrow('"i" names 1 axes, the operand has 2');
    expect(() => einsum("ij->k", x)).toThrow('the result\'s "k" must be in an operand');
    expect(() => einsum("ij->ii", x)).toThrow('the result\'s "i" must be in an operand, and once');
    expect(() => einsum("ij,jk->ik", x, x)).toThrow('"j" is 3 in one operand and 2 in another');
    expect(() => einsum("ii->i", x)).toThrow('"i" is 2 and 3 in an operand of [2, 3]');
    expect(() => einsum("i;j", x)).toThrow("einsum: expected letters");
  });
});
