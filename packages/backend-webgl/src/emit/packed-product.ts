import type { Expr } from "@gradus/core";
import type { Nest } from "../nest.js";
import type { Lowering } from "./lower.js";
import { type Argument, type Part, PartText } from "./part-text.js";

/** Stages of a packed product, by the places of what they leave: the product itself is what the writes read. */
export const PRODUCT = 0;
export const PACKED = { a: 1, b: 2 } as const;

/*
 * A product as a card likes it. Both operands are packed first, so that a texel holds four numbers along k: each row as lines of so
 * many fours, one for each chunk of k, with zeros at the end. Then each fragment computes two rows of a times two rows of b, in one of the
 * chunks: it fetches a texel for four products, not two for one. Lines that a texture is too high for stand beside the first ones.
 */

/** Packs an operand whose rows are the points of some axes. */
export function packPart(
  nest: Nest,
  lowering: Lowering,
  operand: Expr,
  { rows, k }: { readonly rows: readonly number[]; readonly k: readonly number[] },
): Part {
  const text = new PartText(nest, lowering);
  const [fours, chunks] = [text.number("fours"), text.number("chunks")];
  text.line("let x = column();");
  text.divide("x", fours, "fold", "four");
  text.line(`let line = ((fold * ${text.number("height")}) + row());`);
  text.divide("line", chunks, "point", "chunk");
  text.decode("point", rows);
  text.line(`let k0 = (((chunk * ${fours}) + four) * 4);`);
  const nameOf = (axis: number, lane: number): string => `i${axis}l${lane}`;
  text.decode("k0", k, (axis) => nameOf(axis, 0));
  for (let lane = 0; lane < 4; lane++) {
    if (lane > 0) {
      text.line(`let k${lane} = (k0 + ${lane});`);
      text.next(
        k,
        (axis) => nameOf(axis, lane - 1),
        (axis) => nameOf(axis, lane),
      );
    }
    const inner = text.within(new Map(k.map((axis) => [axis, nameOf(axis, lane)])), () => {
      text.line(`let lane${lane} = pick(lt_i(k${lane}, ${text.number("k")}), ${text.value(operand)}, 0);`);
    });
    text.line(inner);
  }
  return text.finish("[lane0, lane1, lane2, lane3]");
}

/** The blocks of the product, in chunks. */
export function productPart(): Part {
  const args = new Map<string, Argument>([
    ["a", { kind: "fours", index: PACKED.a }],
    ["b", { kind: "fours", index: PACKED.b }],
  ]);
  const names = ["chunks", "fours", "blocksM", "blocksN", "batchA", "batchB", "heightA", "heightB"];
  for (const name of names) args.set(name, { kind: "number", name });
  const line = (
    name: string,
    height: string,
    row: string,
  ): string => `let line_${name} = ((${row} * chunks) + chunk);
let fold_${name} = quotient(line_${name}, ${height});
let y_${name} = (line_${name} - (fold_${name} * ${height}));
let x_${name} = (fold_${name} * fours);`;
  return {
    source: `function(${[...args.keys()].join(", ")}) {
let q = position();
let point = quotient(q, chunks);
let chunk = (q - (point * chunks));
let rows = quotient(point, blocksN);
let n = (point - (rows * blocksN));
let batch = quotient(rows, blocksM);
let m = (rows - (batch * blocksM));
let first_a = ((batch * batchA) + (m * 2));
let first_b = ((batch * batchB) + (n * 2));
${line("a0", "heightA", "first_a")}
${line("a1", "heightA", "(first_a + 1)")}
${line("b0", "heightB", "first_b")}
${line("b1", "heightB", "(first_b + 1)")}
return block_product(a, b, x_a0, y_a0, x_a1, y_a1, x_b0, y_b0, x_b1, y_b1, fours);
}`,
    args: [...args.values()],
    results: 1,
  };
}

/** Joins the chunks of each block. */
export function combineBlocksPart(): Part {
  return {
    source: `function(s0, chunks) {
return sum_of_fours(s0, (position() * chunks), chunks);
}`,
    args: [
      { kind: "fours", index: PRODUCT },
      { kind: "number", name: "chunks" },
    ],
    results: 1,
  };
}
