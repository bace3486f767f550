import {
  affineIn,
  axesOfContract,
  type ContractAxes,
  type ContractKernel,
  calculus as c,
  dependsOnAxis,
  type Expr,
  type LoopKernel,
  postOrder,
} from "@gradus/core";
import { ARGUMENTS } from "./emit/bindings.js";
import { contractShader, finishShader, type OperandPlan } from "./emit/contract-shader.js";
import { isHalf, isStoredHalf, unrounded, withHalfOperands } from "./emit/half.js";
import { type MatrixUnits, matrixShader } from "./emit/matrix-shader.js";
import { REGISTER_THREADS, registerShader } from "./emit/register-shader.js";
import type { Shader } from "./emit/shader.js";
import { isMultipleOfFour, numberOf, wholeParamsIn } from "./index-numbers.js";
import { type Limits, LoopProgram, product } from "./loop-program.js";
import type { Pipelines } from "./pipelines.js";
import {
  alternatives,
  blockFor,
  countBlocks,
  countTiles,
  ENOUGH_TILES,
  type Extents,
  LARGE,
  type Layout,
  matrixTileFor,
  nameOf,
  tileFor,
} from "./tiles.js";
import type { Choice, Dispatch, GpuProgram, Way, Work } from "./work.js";

/**
 * A contraction on the device: in tiles or blocks, or as a loop with a sum where there is too little to share. Whether k is cut
 * into chunks depends on the sizes alone; tiles and blocks do not change the result, so which one is fastest is found by timing,
 * at any time.
 */
export class ContractProgram implements GpuProgram {
  readonly deciding: readonly number[];
  readonly messages: readonly string[] = [];
  private readonly loops: LoopProgram;
  private readonly shaders = new Map<string, Shader>();
  private readonly fits: boolean;

  private readonly kernel: ContractKernel;
  /** Whether float16 has all values of both operands. */
  private readonly isHalf: boolean;

  constructor(
    given: ContractKernel,
    private readonly pipelines: Pipelines,
    private readonly limits: Limits,
    /** Which way was found to be the fastest for a shape. */
    private readonly chosen: (key: string) => string | undefined,
  ) {
    const kernel = limits.halfContractions ? withHalfOperands(given) : given;
    this.kernel = kernel;
    this.isHalf = isHalf(kernel.a) && isHalf(kernel.b);
    this.loops = new LoopProgram(asLoops(kernel), pipelines, limits);
    this.deciding = [...new Set([...wholeParamsIn([kernel.a, kernel.b]), ...this.loops.deciding])];
    // One binding is for scratch memory.
    this.fits = kernel.inputs.length + kernel.outputs.length + 1 <= limits.buffers;
  }

  plan(sizes: readonly number[], params: readonly number[], bytes: readonly number[]): readonly Work[] {
    const { kernel } = this;
    const plan = this.planFor(sizes, params);
    if (plan === undefined) return this.loops.plan(sizes, params, bytes);
    const { extents, chunks } = plan;
    const { batch, m, n, k } = extents;
    const points = batch * m * n;
    const dispatch = {
      kind: "dispatch",
      words: [points, chunks, 0, 0, ...sizes, ...kernel.params.map(() => 0)],
      paramsAt: ARGUMENTS.first + sizes.length,
      ...(chunks > 1 && { scratch: { at: 0, bytes: 4 * points * chunks } }),
      operations: 2 * points * k,
    } as const;
    const works: Dispatch[] = [
      {
        ...dispatch,
        ...this.way(plan, plan.layout),
        ...(points * k >= WORTH_TIMING && { choice: this.choice(plan) }),
      },
    ];
    if (chunks > 1) {
      const pipeline = this.pipelines.get(this.finish(), kernel.name);
      works.push({ ...dispatch, pipeline, workgroups: Math.ceil(points / 64), operations: points * chunks });
    }
    return works;
  }

  shadersFor(sizes: readonly number[]): readonly Shader[] {
    // Strides among the params are not known yet: the tiles for those that are baked are made.
    const plan = this.planFor(sizes, []);
    if (plan === undefined) return this.loops.shadersFor(sizes);
    const shader = this.shader(plan, plan.layout);
    return plan.chunks > 1 ? [shader, this.finish()] : [shader];
  }

  private choice(plan: Plan): Choice {
    const { key, layout, extents, chunks } = plan;
    const layouts = alternatives(layout, extents, chunks > 1, this.isHalf, this.limits);
    return {
      key,
      ways: layouts.map((one, i) => ({ name: nameOf(one), make: () => this.way(plan, one, i > 0) })),
    };
  }

  private way(plan: Plan, layout: Layout, isTrial = false): Way {
    const { kernel, pipelines } = this;
    const pipeline = pipelines.get(this.shader(plan, layout), kernel.name, isTrial);
    return { pipeline, workgroups: workgroupsOf(layout, plan.extents, plan.chunks) };
  }

  private shader({ a, b, chunks }: Plan, layout: Layout): Shader {
    const { kernel, limits } = this;
    const split = chunks > 1;
    const vectors = (plan: OperandPlan) => ({ vector: plan.along === "outer" && plan.vector });
    const key = `${nameOf(layout)} ${a.along}${a.vector} ${b.along}${b.vector} ${split}`;
    return this.cached(key, () => {
      switch (layout.kind) {
        case "registers": {
          const shape = { block: layout.block, a: vectors(a), b: vectors(b), split };
          return registerShader(kernel, shape, limits.buffers);
        }
        case "tile":
          return contractShader(kernel, { ...layout, a, b, split }, limits.buffers);
        case "matrices": {
          const units = limits.units as MatrixUnits;
          return matrixShader(kernel, { tile: layout.tile, units, a, b, split }, limits.buffers);
        }
      }
    });
  }

  private finish(): Shader {
    return this.cached("finish", () => finishShader(this.kernel, this.limits.buffers));
  }

  private cached(key: string, make: () => Shader): Shader {
    let shader = this.shaders.get(key);
    if (shader === undefined) {
      shader = make();
      this.shaders.set(key, shader);
    }
    return shader;
  }

  /** How it is laid out, or undefined where a loop does as well. */
  private planFor(sizes: readonly number[], params: readonly number[]): Plan | undefined {
    const { kernel, limits } = this;
    const axes = axesOfContract(kernel);
    const extents = extentsOf(axes, sizes);
    const { batch, m, n, k } = extents;
    if (!this.fits || batch * m * n === 0 || Math.min(m, n) < 2 || k < 8) return undefined;
    // Software drivers are slow at barriers and at compiling, and have no shared memory of their own.
    const { isSoftware } = limits;
    if (isSoftware ? batch * m * n * k < SMALLEST : m * n < 256) return undefined;
    const isLarge = isSoftware || m * n * k >= LARGE;
    const a = operandPlan(kernel.a, axes.m, axes.k, sizes, params, isLarge);
    const b = operandPlan(kernel.b, axes.n, axes.k, sizes, params, isLarge);
    const suggested = this.suggested(extents);
    const chunks = chunksFor(suggested, extents, sizes[axes.k[0] as number] as number);
    const halves = [kernel.a, kernel.b].map((e) => (isStoredHalf(e) ? "f16" : ""));
    const operands = [a, b].map(({ along, vector }, i) => `${along}${vector ? 4 : 1}${halves[i]}`).join(" ");
    const key = `${kernel.accumulate} ${batch}x${m}x${n}x${k} ${operands} ${weightOf(kernel)}`;
    const chosen = this.chosen(key);
    const layout =
      chosen === undefined
        ? suggested
        : alternatives(suggested, extents, chunks > 1, this.isHalf, limits).find(
            (one) => nameOf(one) === chosen,
          );
    return { key, extents, chunks, a, b, layout: layout ?? suggested };
  }

  /** How it is laid out as far as sizes tell. */
  private suggested(extents: Extents): Layout {
    const { limits } = this;
    if (limits.isSoftware) return { kind: "registers", block: blockFor(extents) };
    const { units } = limits;
    const matrixTile = this.isHalf && units !== undefined ? matrixTileFor(extents, units, limits) : undefined;
    if (matrixTile !== undefined) return { kind: "matrices", tile: matrixTile };
    return { kind: "tile", tile: tileFor(extents, limits), inHalves: false };
  }
}

/** A contraction of certain sizes. */
interface Plan {
  /** Tells its shape from others. */
  readonly key: string;
  readonly extents: Extents;
  readonly chunks: number;
  readonly a: OperandPlan;
  readonly b: OperandPlan;
  readonly layout: Layout;
}

/** Multiplications below which a software driver runs a loop, whose shader is made sooner. */
const SMALLEST = 2 ** 14;
/** Threads from which on a software driver has both processors at work. */
const ENOUGH_SOFTWARE_THREADS = 256;
/** Multiplications below which it does not matter how they are laid out. */
const WORTH_TIMING = 2 ** 21;

function extentsOf(axes: ContractAxes, sizes: readonly number[]): Extents {
  const extent = (group: readonly number[]): number => product(group.map((axis) => sizes[axis] as number));
  return { batch: extent(axes.batch), m: extent(axes.m), n: extent(axes.n), k: extent(axes.k) };
}

/** Into how many chunks k is cut where there is too little to do otherwise; `longest` is its first axis. */
function chunksFor(suggested: Layout, extents: Extents, longest: number): number {
  const { k } = extents;
  if (suggested.kind === "registers") {
    const threads = countBlocks(suggested.block, extents);
    return Math.max(1, Math.min(longest, Math.floor(k / 64), Math.ceil(ENOUGH_SOFTWARE_THREADS / threads)));
  }
  const count = countTiles(suggested.tile, extents);
  if (count >= ENOUGH_TILES) return 1;
  return Math.max(1, Math.min(32, Math.floor(k / 256), Math.ceil((2 * ENOUGH_TILES) / count)));
}

function workgroupsOf(layout: Layout, extents: Extents, chunks: number): number {
  if (layout.kind !== "registers") return countTiles(layout.tile, extents) * chunks;
  return Math.ceil((countBlocks(layout.block, extents) * chunks) / REGISTER_THREADS);
}

/** How much is computed for an element of an operand and of the result, in as far as it changes what is fastest. */
function weightOf({ a, b, writes }: ContractKernel): string {
  const count = (roots: readonly Expr[]): number =>
    postOrder(roots).filter(({ kind }) => kind === "op").length;
  return [[a], [b], writes.map(({ value }) => value)].map(count).join(",");
}

/** How an operand's elements lie, given the numbers of a launch. */
function operandPlan(
  e: Expr,
  outer: readonly number[],
  k: readonly number[],
  sizes: readonly number[],
  params: readonly number[],
  isLarge: boolean,
): OperandPlan {
  const load = postOrder([e]).find((node) => node.kind === "load");
  if (load?.kind !== "load") return { along: "k", vector: false };
  const numbers = { sizes, params };
  const [lastK, lastOuter] = [k.at(-1), outer.at(-1)];
  const strideAlong = (axis: number | undefined): number | undefined => {
    const stride = axis === undefined ? undefined : affineIn(load.index, axis)?.stride;
    return stride === undefined ? undefined : numberOf(stride, numbers);
  };
  // Where neighbours lie side by side along both, as pixels and taps of a convolution do, the longer axis has more of them.
  const [isDenseAlongK, isDenseAlongOuter] = [strideAlong(lastK) === 1, strideAlong(lastOuter) === 1];
  const isOuterLonger = (sizes[lastOuter as number] ?? 0) > (sizes[lastK as number] ?? 0);
  const along = isDenseAlongOuter && (!isDenseAlongK || isOuterLonger) ? "outer" : "k";
  const axis = along === "k" ? lastK : lastOuter;
  if (unrounded(e).e !== load || axis === undefined || strideAlong(axis) !== 1)
    return { along, vector: false };
  const base = affineIn(load.index, axis)?.base as Expr;
  const vector =
    isLarge &&
    (sizes[axis] as number) % 4 === 0 &&
    isMultipleOfFour(base, numbers) &&
    (load.guard === undefined || !dependsOnAxis(load.guard, axis));
  return { along, vector };
}

/** A contraction as a loop with a sum. */
function asLoops({ groups, a, b, accumulate, writes, ...kernel }: ContractKernel): LoopKernel {
  const grid = groups.batch + groups.m + groups.n;
  const over = Array.from({ length: groups.k }, (_, i) => grid + i);
  return {
    ...kernel,
    kind: "loop",
    axes: grid + groups.k,
    grid,
    stages: [{ over, op: "sum", value: c.mul(a, b), dtype: accumulate }],
    writes: writes.map((write) => ({ ...write, over: [] })),
  };
}
