import type { Output } from "@gradus/core";
import { type WriteLayout, writeLayout } from "./write-layout.js";

/** A write of a launch, and where it goes. */
export interface PlacedWrite {
  readonly index: number;
  readonly write: Output;
  readonly layout: WriteLayout;
  /** How many elements its buffer has. */
  readonly length: number;
  /** Whether it leaves some of them alone. */
  readonly isPartial: boolean;
}

/** Results of one kernel at the most: so many every card draws at once. */
const MAX_RESULTS = 4;

/** The writes of a launch that write anything; undefined where one goes to places that no shader can tell. */
export function placeWrites(
  writes: readonly Output[],
  grid: readonly number[],
  {
    sizes,
    params,
    lengths,
  }: {
    readonly sizes: readonly number[];
    readonly params: readonly number[];
    readonly lengths: readonly number[];
  },
): readonly PlacedWrite[] | undefined {
  const placed: PlacedWrite[] = [];
  for (const [index, write] of writes.entries()) {
    const axes = [...grid, ...write.over];
    if (axes.some((axis) => sizes[axis] === 0)) continue;
    const layout = writeLayout(write.index, axes, sizes, params);
    const length = lengths[write.buffer] as number;
    if (layout === undefined || layout.offset < 0 || layout.offset + layout.span > length) return undefined;
    const isPartial = !layout.isDense || layout.offset !== 0 || layout.span !== length;
    placed.push({ index, write, layout, length, isPartial });
  }
  return placed;
}

/** Writes that one kernel can do together: to the same places, all of them. */
export function groupWrites(placed: readonly PlacedWrite[]): readonly (readonly PlacedWrite[])[] {
  const groups: PlacedWrite[][] = [];
  for (const one of placed) {
    // Several writes of one buffer have an order.
    const isOnly = placed.every((other) => other === one || other.write.buffer !== one.write.buffer);
    const fits = (group: readonly PlacedWrite[]): boolean =>
      isOnly && group.length < MAX_RESULTS && isAlike(group[0] as PlacedWrite, one);
    const group = groups.find(fits);
    if (group === undefined) groups.push([one]);
    else group.push(one);
  }
  return groups;
}

function isAlike(a: PlacedWrite, b: PlacedWrite): boolean {
  const isSame = (p: readonly number[], q: readonly number[]): boolean => p.join() === q.join();
  return (
    !a.isPartial &&
    !b.isPartial &&
    a.length === b.length &&
    isSame(a.write.over, b.write.over) &&
    isSame(a.layout.strides, b.layout.strides)
  );
}
