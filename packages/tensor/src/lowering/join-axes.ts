import type { ContractKernel } from "@gradus/core";
import type { Analysis } from "./analyse.js";
import type { Walk } from "./realise.js";

/** The loop axes that are left when neighbours are joined. */
export interface JoinedAxes {
  readonly sizes: readonly number[];
  /** For each walk its stride along each of the axes. */
  readonly strides: readonly (readonly number[])[];
  readonly grid: number;
  /** Part of the kernel's key: which of the old axes each new one is. */
  readonly code: string;
  /** The new number of an old axis. */
  renamed(axis: number): number;
  contractGroups(groups: ContractKernel["groups"]): ContractKernel["groups"];
}

/**
 * Joins neighbouring axes of one group that every access walks in one stride, so that a kernel has as few axes as
 * possible: dense operands of any shape need one. Axes of size 1 vanish. Pinned axes stay, and each group keeps an axis.
 */
export function joinAxes(
  sizes: readonly number[],
  { groups, pinned, grid }: Analysis,
  walks: readonly Walk[],
): JoinedAxes {
  const joined: { size: number; group: number; members: number[]; pinned: boolean; strides: number[] }[] = [];
  /** For an axis that vanished, the one that stands for it. */
  const renamed = new Array<number>(sizes.length).fill(-1);
  sizes.forEach((size, axis) => {
    const group = groups[axis] as number;
    const before = joined.at(-1);
    const sameGroup = before?.group === group;
    const strides = walks.map((walk) => walk.strides[axis] as number);
    // It is then its neighbour in the group: the one before or, at the group's beginning, the one behind.
    const mayVanish = size === 1 && !pinned.has(axis) && (sameGroup || groups[axis + 1] === group);
    if (mayVanish) {
      if (sameGroup) renamed[axis] = joined.length - 1;
      return;
    }
    const joins =
      before !== undefined &&
      sameGroup &&
      !before.pinned &&
      !pinned.has(axis) &&
      strides.every((stride, i) => before.strides[i] === stride * size);
    if (joins) {
      before.size *= size;
      before.strides = strides;
      before.members.push(axis);
    } else {
      joined.push({ size, group, members: [axis], pinned: pinned.has(axis), strides });
    }
    renamed[axis] = joined.length - 1;
  });
  // An axis of size 1 before its group's first kept one is that one.
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    if (renamed[axis] === -1) renamed[axis] = renamed[axis + 1] as number;
  }
  const countIn = (from: number, to: number): number =>
    joined.filter(({ members }) => members.some((axis) => axis >= from && axis < to)).length;
  return {
    sizes: joined.map((axis) => axis.size),
    strides: walks.map((_, i) => joined.map((axis) => axis.strides[i] as number)),
    grid: countIn(0, grid),
    code: joined.map((axis) => axis.members[0]).join("."),
    renamed: (axis) => renamed[axis] as number,
    contractGroups: ({ batch, m, n, k }) => ({
      batch: countIn(0, batch),
      m: countIn(batch, batch + m),
      n: countIn(batch + m, batch + m + n),
      k: countIn(batch + m + n, batch + m + n + k),
    }),
  };
}
