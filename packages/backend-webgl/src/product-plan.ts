import type { ContractKernel } from "@gradus/core";
import { BLOCK } from "./emit/part-text.js";
import { isBatched, type ProductAxes, productAxes } from "./product-axes.js";

/** How a product is cut for a card. */
export interface ProductPlan {
  readonly axes: ProductAxes;
  /** Fragments that the product itself takes, for each chunk. */
  readonly blocks: number;
  /** The width and the height of the packed operands. */
  readonly a: readonly [width: number, height: number];
  readonly b: readonly [width: number, height: number];
  readonly numbers: ReadonlyMap<string, number>;
}

/** Where there are fewer fragments than this, k is cut. */
const FEW = 4096;
/** Fours in a line at the most. */
const LONG = 1024;
/** Texels of a packed operand at the most: 64 MB, as much as a buffer. */
const MAX_TEXELS = 2 ** 22;

/** The plan of a product at some sizes; undefined where packing its operands does not pay, or makes textures that are too large. */
export function productPlan(
  kernel: ContractKernel,
  sizes: readonly number[],
  { maxSide, maxElements }: { readonly maxSide: number; readonly maxElements: number },
): ProductPlan | undefined {
  const axes = productAxes(kernel);
  const count = (list: readonly number[]): number => list.reduce((n, axis) => n * (sizes[axis] as number), 1);
  const [batch, m, n, k] = [count(axes.batch), count(axes.m), count(axes.n), count(axes.k)];
  const rowsA = (isBatched(kernel.a, axes) ? batch : 1) * m;
  const rowsB = (isBatched(kernel.b, axes) ? batch : 1) * n;
  // To pack a number costs about as much as to use it twice without.
  if (k < 4 || batch * m * n < 2 * (rowsA + rowsB)) return undefined;
  const [blocksM, blocksN] = [Math.ceil(m / BLOCK), Math.ceil(n / BLOCK)];
  const blocks = batch * blocksM * blocksN;
  const long = Math.ceil(k / 4);
  const wanted = Math.max(
    Math.ceil(long / LONG),
    Math.min(Math.ceil(Math.sqrt(long)), Math.ceil(FEW / blocks)),
  );
  const fours = Math.ceil(long / wanted);
  const chunks = Math.ceil(long / fours);
  const a = textureOf(rowsA * chunks, fours);
  const b = textureOf(rowsB * chunks, fours);
  const fits = [...a, ...b].every((side) => side <= maxSide);
  const most = Math.max(a[0] * a[1], b[0] * b[1], blocks * Math.max(chunks, BLOCK));
  if (!fits || most > Math.min(MAX_TEXELS, maxElements)) return undefined;
  const numbers = new Map(
    Object.entries({
      ...{ k, chunks, fours, blocksM, blocksN, heightA: a[1], heightB: b[1] },
      batchA: rowsA > m ? m : 0,
      batchB: rowsB > n ? n : 0,
    }),
  );
  return { axes, blocks, a, b, numbers };
}

/** Lines side by side, so that the texture is about as wide as it is high. gpu.js takes one that is higher than 1 as it is. */
function textureOf(lines: number, fours: number): readonly [width: number, height: number] {
  const fold = Math.max(1, Math.round(Math.sqrt(lines / fours)));
  return [fours * fold, Math.max(2, Math.ceil(lines / fold))];
}
