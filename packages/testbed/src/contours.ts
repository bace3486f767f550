/** Values on a regular grid: `values[row * columns + column]`, rows from the least y up. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly values: ArrayLike<number>;
}

/** A closed line through grid coordinates. */
export type Ring = readonly (readonly [column: number, row: number])[];

/**
 * The borders of where a grid's values are below `level`, by marching squares with linear interpolation. Outside of the
 * grid counts as above, so that every line closes; filled by the even-odd rule they are the region.
 */
export function region({ columns, rows, values }: Grid, level: number): Ring[] {
  const at = (column: number, row: number): number =>
    column < 0 || row < 0 || column >= columns || row >= rows
      ? Infinity
      : (values[row * columns + column] as number);
  const inside = (column: number, row: number): boolean => at(column, row) < level;
  // Each crossed edge of the grid is left by one segment and entered by another.
  const next = new Map<string, string>();
  const places = new Map<string, readonly [number, number]>();
  const cross = (c0: number, r0: number, c1: number, r1: number): string => {
    const [ca, ra, cb, rb] = c0 < c1 || r0 < r1 ? [c0, r0, c1, r1] : [c1, r1, c0, r0];
    const key = `${ca},${ra},${cb},${rb}`;
    const [a, b] = [at(ca, ra), at(cb, rb)];
    const t = Number.isFinite(a) && Number.isFinite(b) ? (level - a) / (b - a) : Number.isFinite(a) ? 0 : 1;
    places.set(key, [ca + t * (cb - ca), ra + t * (rb - ra)]);
    return key;
  };
  for (let row = -1; row < rows; row++) {
    for (let column = -1; column < columns; column++) {
      const corners = [
        [column, row],
        [column + 1, row],
        [column + 1, row + 1],
        [column, row + 1],
      ] as const;
      const flags = corners.map(([c, r]) => inside(c, r));
      // Around the cell: where the region is left, a segment begins; it ends where the region was entered before.
      const enters: string[] = [];
      const leaves: string[] = [];
      for (let k = 0; k < 4; k++) {
        const [from, to] = [corners[k], corners[(k + 1) % 4]] as (readonly [number, number])[] as [
          readonly [number, number],
          readonly [number, number],
        ];
        if (flags[k] === flags[(k + 1) % 4]) continue;
        const edge = cross(...from, ...to);
        (flags[k] ? leaves : enters).push(edge);
      }
      if (leaves.length === 2 && flags[0] === false) enters.push(enters.shift() as string);
      leaves.forEach((edge, k) => {
        next.set(edge, enters[k] as string);
      });
    }
  }
  const rings: Ring[] = [];
  while (next.size > 0) {
    const ring: (readonly [number, number])[] = [];
    let edge = next.keys().next().value as string;
    for (;;) {
      const following = next.get(edge);
      if (following === undefined) break;
      next.delete(edge);
      ring.push(places.get(edge) as readonly [number, number]);
      edge = following;
    }
    rings.push(ring);
  }
  return rings;
}
