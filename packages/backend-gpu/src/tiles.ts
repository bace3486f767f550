import { sharedBytes, type Tile } from "./emit/contract-shader.js";
import type { RegisterBlock } from "./emit/register-shader.js";
import type { Limits } from "./loop-program.js";

/** How many rows, columns and products a contraction has, and how often. */
export interface Extents {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A way to lay out a contraction on threads. */
export type Layout =
  | { readonly kind: "tile"; readonly tile: Tile }
  | { readonly kind: "registers"; readonly block: RegisterBlock };

const tiles = {
  /** Where a workgroup shares enough memory, longer steps through k: fewer barriers. */
  largest: { bm: 128, bn: 128, bk: 32, tm: 8, tn: 8 },
  large: { bm: 128, bn: 128, bk: 16, tm: 8, tn: 8 },
  high: { bm: 128, bn: 64, bk: 16, tm: 8, tn: 4 },
  broad: { bm: 64, bn: 128, bk: 16, tm: 4, tn: 8 },
  dense: { bm: 64, bn: 64, bk: 16, tm: 8, tn: 8 },
  medium: { bm: 64, bn: 64, bk: 16, tm: 4, tn: 4 },
  deep: { bm: 64, bn: 64, bk: 32, tm: 4, tn: 4 },
  small: { bm: 32, bn: 32, bk: 16, tm: 4, tn: 4 },
  shallow: { bm: 32, bn: 32, bk: 32, tm: 4, tn: 4 },
  tall: { bm: 64, bn: 16, bk: 16, tm: 4, tn: 4 },
  wide: { bm: 16, bn: 64, bk: 16, tm: 4, tn: 4 },
} as const satisfies Record<string, Tile>;

/** With fewer tiles than this a device is not full. */
export const ENOUGH_TILES = 96;

export function countTiles({ bm, bn }: Tile, { batch, m, n }: Extents): number {
  return Math.ceil(m / bm) * Math.ceil(n / bn) * batch;
}

export function countBlocks({ rows, columns }: RegisterBlock, { batch, m, n }: Extents): number {
  return Math.ceil(m / rows) * Math.ceil(n / columns) * batch;
}

/** The tile that sizes alone suggest. */
export function tileFor(extents: Extents, limits: Limits): Tile {
  const { m, n, k } = extents;
  // Small products share their shaders.
  if (m * n * k < LARGE) return tiles.small;
  if (n <= 16 && m > 16) return tiles.tall;
  if (m <= 16 && n > 16) return tiles.wide;
  if (countTiles(tiles.large, extents) >= ENOUGH_TILES) {
    for (const tile of [tiles.largest, tiles.large]) if (sharedBytes(tile) <= limits.shared) return tile;
  }
  return countTiles(tiles.medium, extents) >= ENOUGH_TILES / 4 ? tiles.medium : tiles.small;
}

/** The block of a thread on a software driver that sizes alone suggest. */
export function blockFor({ m }: Extents): RegisterBlock {
  return { rows: m > 4 ? 8 : 4, columns: 4 };
}

/** Multiplications from which on it pays to have shaders of one's own. */
export const LARGE = 2 ** 18;

/**
 * All ways that may be the fastest for these sizes, the suggested one first. They agree to the last bit: where k is cut into
 * chunks, tiles and blocks cut it at other places, so only the suggested kind counts.
 */
export function alternatives(
  suggested: Layout,
  { m, n }: Extents,
  isSplit: boolean,
  limits: Limits,
): readonly Layout[] {
  // Software drivers would take seconds to compile a tile.
  const asTiles = limits.isSoftware ? [] : Object.values(tiles);
  const layouts = [
    ...asTiles
      // Of a tile that is hardly filled most is computed for nothing.
      .filter((tile) => sharedBytes(tile) <= limits.shared && filled(tile, m, n) >= 0.4)
      .map((tile): Layout => ({ kind: "tile", tile })),
    ...blocks
      .filter(({ rows, columns }) => rows <= m && columns <= n)
      .map((block): Layout => ({ kind: "registers", block })),
  ];
  const name = nameOf(suggested);
  return [
    suggested,
    ...layouts.filter((layout) => nameOf(layout) !== name && (!isSplit || layout.kind === suggested.kind)),
  ];
}

const blocks: readonly RegisterBlock[] = [
  { rows: 4, columns: 4 },
  { rows: 8, columns: 4 },
  { rows: 8, columns: 8 },
];

function filled({ bm, bn }: Tile, m: number, n: number): number {
  return (m * n) / (Math.ceil(m / bm) * bm * Math.ceil(n / bn) * bn);
}

/** What a way is called where choices are kept. */
export function nameOf(layout: Layout): string {
  if (layout.kind === "registers") return `registers ${layout.block.rows}x${layout.block.columns}`;
  const { bm, bn, bk, tm, tn } = layout.tile;
  return `tile ${bm}x${bn}x${bk} by ${tm}x${tn}`;
}
