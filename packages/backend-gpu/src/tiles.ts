import { sharedBytes, type Tile } from "./emit/contract-shader.js";
import { type MatrixTile, type MatrixUnits, matrixBytes, threadsOf } from "./emit/matrix-shader.js";
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
  | { readonly kind: "tile"; readonly tile: Tile; readonly inHalves: boolean }
  | { readonly kind: "matrices"; readonly tile: MatrixTile }
  | { readonly kind: "registers"; readonly block: RegisterBlock };

const tiles = {
  /** Where a workgroup shares enough memory, longer steps through k: fewer barriers. */
  largest: { bm: 128, bn: 128, bk: 32, tm: 8, tn: 8 },
  large: { bm: 128, bn: 128, bk: 16, tm: 8, tn: 8 },
  high: { bm: 128, bn: 64, bk: 16, tm: 8, tn: 4 },
  higher: { bm: 128, bn: 64, bk: 16, tm: 8, tn: 8 },
  broad: { bm: 64, bn: 128, bk: 16, tm: 4, tn: 8 },
  broader: { bm: 64, bn: 128, bk: 16, tm: 8, tn: 8 },
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

export function countTiles({ bm, bn }: Pick<Tile, "bm" | "bn">, { batch, m, n }: Extents): number {
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
  for (const tile of [m <= 64 ? tiles.broader : undefined, n <= 64 ? tiles.higher : undefined]) {
    if (tile !== undefined && countTiles(tile, extents) >= ENOUGH_TILES) return tile;
  }
  if (countTiles(tiles.large, extents) >= ENOUGH_TILES) {
    for (const tile of [tiles.largest, tiles.large])
      if (sharedBytes(tile, false) <= limits.shared) return tile;
  }
  return countTiles(tiles.medium, extents) >= ENOUGH_TILES / 4 ? tiles.medium : tiles.small;
}

/** Longer steps through k first, where a workgroup shares enough memory. */
const matrixTiles: readonly MatrixTile[] = [
  { bm: 128, bn: 128, bk: 64, wm: 64, wn: 32 },
  { bm: 128, bn: 128, bk: 32, wm: 64, wn: 32 },
  { bm: 64, bn: 64, bk: 64, wm: 32, wn: 32 },
  { bm: 64, bn: 64, bk: 32, wm: 32, wn: 32 },
  { bm: 128, bn: 64, bk: 32, wm: 32, wn: 32 },
  { bm: 128, bn: 256, bk: 32, wm: 64, wn: 64 },
];

/** The tile for units of small matrices that sizes alone suggest, or undefined where none fits the device. */
export function matrixTileFor(extents: Extents, units: MatrixUnits, limits: Limits): MatrixTile | undefined {
  const fitting = matrixTiles.filter((tile) => fitsUnits(tile, units, limits));
  return (
    fitting.find((tile) => countTiles(tile, extents) >= ENOUGH_TILES) ??
    fitting.find(({ bm }) => bm === 64) ??
    fitting[0]
  );
}

function fitsUnits(tile: MatrixTile, units: MatrixUnits, limits: Limits): boolean {
  return (
    tile.wm % units.m === 0 &&
    tile.wn % units.n === 0 &&
    tile.bk % units.k === 0 &&
    threadsOf(tile, units) <= limits.threads &&
    (tile.bm * tile.bk) % (4 * threadsOf(tile, units)) === 0 &&
    (tile.bn * tile.bk) % (4 * threadsOf(tile, units)) === 0 &&
    matrixBytes(tile, units) <= limits.shared
  );
}

/** The block of a thread on a software driver that sizes alone suggest. */
export function blockFor({ m }: Extents): RegisterBlock {
  return { rows: m > 4 ? 8 : 4, columns: 4 };
}

/** Multiplications from which on it pays to have shaders of one's own. */
export const LARGE = 2 ** 18;

/**
 * All ways that may be the fastest for these sizes, the suggested one first. They agree to the last bit: where k is cut into
 * chunks, tiles and blocks cut it at other places, and units of small matrices add in an order of their own, so then only the
 * suggested kind counts. `isHalf` says that operands are rounded to float16.
 */
export function alternatives(
  suggested: Layout,
  { m, n }: Extents,
  isSplit: boolean,
  isHalf: boolean,
  limits: Limits,
): readonly Layout[] {
  const name = nameOf(suggested);
  const others = (layouts: readonly Layout[]): Layout[] => layouts.filter((one) => nameOf(one) !== name);
  // Of a tile that is hardly filled most is computed for nothing.
  const isFilled = (tile: Pick<Tile, "bm" | "bn">): boolean => filled(tile, m, n) >= 0.4;
  if (suggested.kind === "matrices") {
    const { units } = limits;
    const fitting = matrixTiles.filter(
      (tile) => units !== undefined && isFilled(tile) && fitsUnits(tile, units, limits),
    );
    return [suggested, ...others(fitting.map((tile) => ({ kind: "matrices", tile })))];
  }
  const layouts: Layout[] = [];
  // Software drivers would take seconds to compile a tile.
  if (!limits.isSoftware) {
    for (const inHalves of isHalf && limits.halves ? [true, false] : [false]) {
      for (const tile of Object.values(tiles)) {
        if (isFilled(tile) && sharedBytes(tile, inHalves) <= limits.shared) {
          layouts.push({ kind: "tile", tile, inHalves });
        }
      }
    }
  }
  for (const block of blocks) {
    if (block.rows <= m && block.columns <= n) layouts.push({ kind: "registers", block });
  }
  return [suggested, ...others(layouts.filter(({ kind }) => !isSplit || kind === suggested.kind))];
}

const blocks: readonly RegisterBlock[] = [
  { rows: 4, columns: 4 },
  { rows: 8, columns: 4 },
  { rows: 8, columns: 8 },
];

function filled({ bm, bn }: Pick<Tile, "bm" | "bn">, m: number, n: number): number {
  return (m * n) / (Math.ceil(m / bm) * bm * Math.ceil(n / bn) * bn);
}

/** What a way is called where choices are kept. */
export function nameOf(layout: Layout): string {
  if (layout.kind === "registers") return `registers ${layout.block.rows}x${layout.block.columns}`;
  const { bm, bn, bk } = layout.tile;
  const block = `${bm}x${bn}x${bk}`;
  if (layout.kind === "matrices") return `matrices ${block} by ${layout.tile.wm}x${layout.tile.wn}`;
  return `tile ${block} by ${layout.tile.tm}x${layout.tile.tn}${layout.inHalves ? " in f16" : ""}`;
}
