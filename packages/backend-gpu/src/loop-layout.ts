import { affineIn, type Expr, type LoopKernel, postOrder } from "@gradus/core";
import type { Fours } from "./dense-buffers.js";
import { PARALLEL_THREADS } from "./emit/loop-shape.js";
import { type Limits, product } from "./loop-program.js";

/** How a launch of a loop kernel is spread over the device. */
export interface LoopLayout {
  /** How many threads work on a grid point: a power of two. */
  readonly threads: number;
  /** Whether neighbouring threads are neighbouring points, rather than threads of one. */
  readonly alongGrid: boolean;
  /** Workgroups of a pass, for each chunk. */
  readonly groups: number;
  /** Into how many parts stages are cut, which workgroups share. */
  readonly chunks: number;
  /** See `LoopShape`. */
  readonly held?: number;
}

/** How many steps a thread may take through a row that it keeps: as many loads are under way at once. */
const MOST_HELD = 8;
/** With fewer threads than this a card is not full. */
const ENOUGH_THREADS = 2 ** 17;
/** With fewer workgroups than this a card is not full. */
const ENOUGH_GROUPS = 256;

/** What decides about a layout, besides sizes. */
interface Circumstances {
  /** Whether neighbouring points read neighbouring elements: see `readsColumns`. */
  readonly columnwise: boolean;
  readonly fours: Fours;
  readonly limits: Limits;
}

export function loopLayout(
  kernel: LoopKernel,
  sizes: readonly number[],
  points: number,
  circumstances: Circumstances,
): LoopLayout {
  const { limits, fours } = circumstances;
  const steps = (over: readonly number[]): number =>
    Math.ceil(product(over.map((axis) => sizes[axis] as number)) / (fours.loops.has(over.join()) ? 4 : 1));
  const { stages, writes, checks = [] } = kernel;
  const longest = Math.max(1, ...[...stages, ...writes, ...checks].map(({ over }) => steps(over)));
  const { threads, alongGrid } = threadsFor(longest, points, stages.length === 0, circumstances);
  const groups = Math.ceil((points * threads) / PARALLEL_THREADS);
  const chunks = threads === 1 ? 1 : chunksFor(kernel, longest, groups, threads, limits);
  const [first] = stages;
  const held = first === undefined ? 0 : powerOfTwo(Math.ceil(steps(first.over) / threads));
  const holds = !limits.isSoftware && threads > 1 && chunks === 1 && held >= 1 && held <= MOST_HELD;
  return { threads, alongGrid, groups, chunks, ...(holds && { held }) };
}

/** How many threads work on a point, and whether neighbouring threads are neighbouring points. */
function threadsFor(
  steps: number,
  points: number,
  isMap: boolean,
  { columnwise, fours, limits }: Circumstances,
): { threads: number; alongGrid: boolean } {
  // Software drivers run threads one after another, and barriers cost them most.
  const enough = limits.isSoftware ? 8 : columnwise ? 65536 : Infinity;
  const least = fours.loops.size > 0 ? 4 : 16;
  if (steps <= least || points >= enough) return { threads: 1, alongGrid: true };
  if (columnwise && points >= 16) {
    const most = PARALLEL_THREADS / (points >= 32 ? 32 : 16);
    return { threads: Math.min(most, powerOfTwo(steps / 2)), alongGrid: true };
  }
  if (limits.isSoftware)
    return { threads: Math.min(PARALLEL_THREADS, powerOfTwo(steps / 4)), alongGrid: false };
  if (isMap) return { threads: Math.min(PARALLEL_THREADS, powerOfTwo(steps)), alongGrid: false };
  // As few as can keep the row, so that they are one subgroup where that is possible; more where the card would not be full.
  let threads = powerOfTwo(steps / MOST_HELD);
  while (threads < steps && threads * points < ENOUGH_THREADS) threads *= 2;
  return { threads: Math.max(2, Math.min(PARALLEL_THREADS, threads)), alongGrid: false };
}

/** Into how many parts stages are cut: only where there are too few points to fill the device. */
function chunksFor(
  kernel: LoopKernel,
  steps: number,
  groups: number,
  threads: number,
  { buffers, isSoftware }: Limits,
): number {
  // The few processors of a software driver gain less by sharing than barriers of more workgroups cost.
  if (isSoftware || kernel.stages.length === 0 || groups >= ENOUGH_GROUPS) return 1;
  // With packed buffers there is no other scratch memory.
  if (kernel.inputs.length + kernel.outputs.length + 2 > buffers) return 1;
  return Math.max(
    1,
    Math.min(Math.floor(steps / (threads * MOST_HELD)), Math.ceil((4 * ENOUGH_GROUPS) / groups)),
  );
}

/** The least power of two that is not less. */
function powerOfTwo(n: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(n)));
}

/** Whether neighbouring grid points read neighbouring elements in the stages, rather than steps of a loop. */
export function readsColumns({ grid, stages }: LoopKernel): boolean {
  if (grid === 0) return false;
  let votes = 0;
  for (const { over, value } of stages) {
    const inner = over.at(-1);
    for (const e of postOrder([value])) {
      if (e.kind !== "load") continue;
      if (hasStrideOne(e.index, grid - 1)) votes++;
      if (inner !== undefined && hasStrideOne(e.index, inner)) votes--;
    }
  }
  return votes > 0;
}

function hasStrideOne(index: Expr, axis: number): boolean {
  const stride = affineIn(index, axis)?.stride;
  return stride?.kind === "const" && stride.value === 1;
}
