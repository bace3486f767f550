import type { Expr } from "@gradus/core";
import type { Nest } from "../nest.js";
import type { Lowering } from "./lower.js";
import { type Argument, BLOCK, type Part, PartText } from "./part-text.js";

/** Stages of a packed product, by the places of what they leave: the product itself is what the writes read. */
export const PRODUCT = 0;
export const PACKED = { a: 1, b: 2 } as const;
/** The rows of the blocks, four of them. */
export const ROWS = 3;

/*
 * A product as a card likes it. Both operands are packed first, so that a texel holds four numbers along k: each row as lines of so
 * many fours, one for each chunk of k, with zeros at the end. Then each fragment computes four rows of a times four rows of b, in one of
 * the chunks: it fetches a texel for eight products, not two for one. The chunks are joined, and the rows laid behind one another. Lines
 * that a texture is too high for stand beside the first ones.
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
  text.divide("line", chunks, "own", "chunk");
  text.line(`let point = (own + ${text.number("first")});`);
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

/** The blocks of the product, in chunks: a result for each of their rows. */
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
  const lanes = [0, 1, 2, 3];
  const lines = [
    ...lanes.map((k) => line(`a${k}`, "heightA", `(first_a + ${k})`)),
    ...lanes.map((k) => line(`b${k}`, "heightB", `(first_b + ${k})`)),
  ];
  const places = ["a", "b"].flatMap((name) => lanes.map((k) => `x_${name}${k}, y_${name}${k}`));
  return {
    source: `function(${[...args.keys()].join(", ")}) {
let q = position();
let point = quotient(q, chunks);
let chunk = (q - (point * chunks));
let rows = quotient(point, blocksN);
let n = (point - (rows * blocksN));
let batch = quotient(rows, blocksM);
let m = (rows - (batch * blocksM));
let first_a = ((batch * batchA) + (m * ${BLOCK}));
let first_b = ((batch * batchB) + (n * ${BLOCK}));
${lines.join("\n")}
let row0 = block_product(a, b, ${places.join(", ")}, fours);
let row1 = result1(block_row(1));
let row2 = result2(block_row(2));
let row3 = result3(block_row(3));
return row0;
}`,
    args: [...args.values()],
    results: BLOCK,
  };
}

/** Joins the chunks of each block, and lays its rows behind one another. */
export function joinPart(): Part {
  const rows = Array.from({ length: BLOCK }, (_, k): Argument => ({ kind: "fours", index: ROWS + k }));
  return {
    source: `function(r0, r1, r2, r3, chunks) {
let q = position();
let block = quotient(q, ${BLOCK});
return sum_of_row(r0, r1, r2, r3, (q - (block * ${BLOCK})), (block * chunks), chunks);
}`,
    args: [...rows, { kind: "number", name: "chunks" }],
    results: 1,
  };
}

/** The same where a section of the blocks is there: what the sections before left is kept, and 0 where none has been. */
export function joinSectionPart(isFirst: boolean): Part {
  const rows = Array.from({ length: BLOCK }, (_, k): Argument => ({ kind: "fours", index: ROWS + k }));
  const names = ["chunks", "allN", "firstM", "firstN", "blocksM", "blocksN"];
  const before = isFirst ? "" : "before, ";
  const sum = "sum_of_row(r0, r1, r2, r3, row, (block * chunks), (inside * chunks))";
  return {
    source: `function(r0, r1, r2, r3, ${before}${names.join(", ")}) {
let q = position();
let all = quotient(q, ${BLOCK});
let row = (q - (all * ${BLOCK}));
let line = quotient(all, allN);
let m = (line - firstM);
let n = ((all - (line * allN)) - firstN);
let inside = ((le_i(0, m) * lt_i(m, blocksM)) * (le_i(0, n) * lt_i(n, blocksN)));
let block = (inside * ((m * blocksN) + n));
return ${isFirst ? sum : `plus_four(${sum}, before, q)`};
}`,
    args: [
      ...rows,
      ...(isFirst ? [] : [{ kind: "fours", index: PRODUCT } as const]),
      ...names.map((name): Argument => ({ kind: "number", name })),
    ],
    results: 1,
  };
}
