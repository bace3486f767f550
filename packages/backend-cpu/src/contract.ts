import { type ContractKernel, calculus as c, cast, type LoopKernel } from "@gradus/core";
import type { Contraction, GroupName } from "./emit/contract-frame.js";
import { contractModule, contractPlans, type Plan } from "./emit/contract-module.js";
import { ENTRY } from "./emit/loop-module.js";
import { blockingOf, partBytes } from "./emit/multiply-function.js";
import type { Sliding } from "./emit/sliding.js";
import { tileRows } from "./emit/tile-function.js";
import { loopProgram } from "./loop-program.js";
import type { Phase, PhasedProgram } from "./program.js";

/** Products that a thread must have to do for another one to pay. */
const LEAST_WORK = 50_000;

/**
 * A contraction: blocks of sums, for which the operands are read in place or packed to dense rows (which is where their
 * expressions are computed), and from which, still in the cache, all is computed that is written.
 */
export function contractProgram(kernel: ContractKernel): PhasedProgram {
  const { accumulate } = kernel;
  if (accumulate === "bool") return loopProgram(asLoops(kernel));
  const { general, sliding, dots } = contractPlans(kernel);
  const ways = new Map<Plan, readonly Phase[]>();
  const planOf = (sizes: readonly number[]): Plan => {
    const dot = dots.find((plan) => paysToDot(plan, sizes));
    if (dot !== undefined) return dot;
    return sliding !== undefined && paysToSlide(sliding, sizes) ? sliding : general;
  };
  return {
    kind: "phases",
    phases(sizes) {
      const plan = planOf(sizes);
      let phases = ways.get(plan);
      if (phases === undefined) {
        phases = [{ module: contractModule(plan, ENTRY), entry: ENTRY, parts: partsOf(plan) }];
        ways.set(plan, phases);
      }
      return phases;
    },
    scratch(sizes, threads) {
      const { kernel, right } = planOf(sizes);
      const last = sizes[kernel.axes.k.at(-1) ?? -1] ?? 1;
      const own = partBytes(blockingOf(accumulate), countOf(kernel, sizes, "k"), last, right.sliding);
      return threads * own + 256;
    },
  };
}

function countOf({ axes }: Contraction, sizes: readonly number[], group: GroupName): number {
  return axes[group].reduce((product, axis) => product * (sizes[axis] as number), 1);
}

function partsOf({ kernel }: Plan): Phase["parts"] {
  const tile = tileRows(kernel.accumulate);
  return (sizes) => {
    const [batch, m, n, k] = (["batch", "m", "n", "k"] as const).map((group) =>
      countOf(kernel, sizes, group),
    ) as [number, number, number, number];
    const blocks = batch * Math.ceil(m / tile) * Math.ceil(n / 16);
    return Math.max(1, Math.min(blocks, Math.floor((batch * m * n * Math.max(k, 1)) / LEAST_WORK)));
  };
}

/** Rows for which packing does not pay, and how long runs along k have to be. */
const FEW_ROWS = 2;
const LONG_RUN = 8;

function paysToDot({ kernel }: Plan, sizes: readonly number[]): boolean {
  const last = sizes[kernel.axes.k.at(-1) ?? -1] ?? 1;
  return countOf(kernel, sizes, "m") <= FEW_ROWS && last >= LONG_RUN;
}

/** Products that take as long as packing an element. */
const PACKING = 24;
/** What a part may pack of rows that slide. */
const MOST_SLIDING_BYTES = 1 << 20;

/** Whether sliding rows cost less, with the columns between rows of positions, than packing them once for each step. */
function paysToSlide({ kernel, right }: Plan, sizes: readonly number[]): boolean {
  const { n, k } = kernel.axes;
  const [width, last] = [sizes[n.at(-1) as number], sizes[k.at(-1) as number]] as [number, number];
  const points = countOf(kernel, sizes, "n");
  const [m, steps] = [countOf(kernel, sizes, "m"), countOf(kernel, sizes, "k")];
  if (points === 0 || steps === 0) return false;
  const { sliding } = right;
  const span = width + (last - 1) * (sliding as Sliding).shift;
  const computed = Math.ceil(((points / width - 1) * span + width) / 8) * 8;
  const blocking = blockingOf(kernel.accumulate);
  if (partBytes(blocking, steps, last, sliding) > MOST_SLIDING_BYTES) return false;
  return (computed / points - 1) * m < PACKING;
}

function asLoops({ groups, a, b, accumulate, writes, ...kernel }: ContractKernel): LoopKernel {
  const grid = groups.batch + groups.m + groups.n;
  const over = Array.from({ length: groups.k }, (_, i) => grid + i);
  const value = c.mul(cast(a, accumulate), cast(b, accumulate));
  return {
    ...kernel,
    kind: "loop",
    axes: grid + groups.k,
    grid,
    stages: [{ over, op: "sum", value, dtype: accumulate }],
    writes: writes.map((write) => ({ ...write, over: [] })),
  };
}
