import {
  affineIn,
  type ContractKernel,
  calculus as c,
  dependsOnAxis,
  type Expr,
  type LoopKernel,
  postOrder,
} from "@gradus/core";
import { ARGUMENTS } from "./emit/bindings.js";
import {
  axesOfContract,
  type ContractShape,
  contractShader,
  finishShader,
  type OperandPlan,
  sharedBytes,
  type Tile,
} from "./emit/contract-shader.js";
import { unrounded, withHalfOperands } from "./emit/half.js";
import { REGISTER_THREADS, type RegisterShape, registerShader } from "./emit/register-shader.js";
import type { Shader } from "./emit/shader.js";
import { type Limits, LoopProgram, product } from "./loop-program.js";
import type { Pipelines } from "./pipelines.js";
import type { Dispatch, GpuProgram, Work } from "./work.js";

/** Where a workgroup shares enough memory, longer steps through k: fewer barriers. */
const largest: Tile = { bm: 128, bn: 128, bk: 32, tm: 8, tn: 8 };
const large: Tile = { bm: 128, bn: 128, bk: 16, tm: 8, tn: 8 };
const medium: Tile = { bm: 64, bn: 64, bk: 16, tm: 4, tn: 4 };
const small: Tile = { bm: 32, bn: 32, bk: 16, tm: 4, tn: 4 };
const tall: Tile = { bm: 64, bn: 16, bk: 16, tm: 4, tn: 4 };
const wide: Tile = { bm: 16, bn: 64, bk: 16, tm: 4, tn: 4 };

/**
 * A contraction on the device: in tiles, or as a loop with a sum where there is too little to share. Whether k is cut into
 * chunks depends on the sizes alone; tiles do not change the result.
 */
export class ContractProgram implements GpuProgram {
  readonly dependsOnParams = true;
  readonly messages: readonly string[] = [];
  private readonly loops: LoopProgram;
  private readonly shaders = new Map<string, Shader>();
  private readonly fits: boolean;

  private readonly kernel: ContractKernel;

  constructor(
    given: ContractKernel,
    private readonly pipelines: Pipelines,
    private readonly limits: Limits,
  ) {
    const kernel = limits.halfContractions ? withHalfOperands(given) : given;
    this.kernel = kernel;
    this.loops = new LoopProgram(asLoops(kernel), pipelines, limits);
    // One binding is for scratch memory.
    this.fits = kernel.inputs.length + kernel.outputs.length + 1 <= limits.buffers;
  }

  plan(sizes: readonly number[], params: readonly number[], bytes: readonly number[]): readonly Work[] {
    const { kernel } = this;
    const layout = this.layoutFor(sizes, params);
    if (layout === undefined) return this.loops.plan(sizes, params, bytes);
    const [batch, m, n, k] = this.extents(sizes) as [number, number, number, number];
    const { chunks, workgroups } = layout;
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
        pipeline: this.pipelines.get(this.shader(layout), kernel.name),
        workgroups,
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
    const layout = this.layoutFor(sizes, []);
    if (layout === undefined) return this.loops.shadersFor(sizes);
    return layout.chunks > 1 ? [this.shader(layout), this.finish()] : [this.shader(layout)];
  }

  private shader(layout: Layout): Shader {
    const { kernel, limits } = this;
    if (layout.kind === "registers") {
      const { block, a, b, split } = layout.shape;
      return this.cached(`registers ${block.rows} ${block.columns} ${a.vector} ${b.vector} ${split}`, () =>
        registerShader(kernel, layout.shape, limits.buffers),
      );
    }
    const { tile, a, b, split } = layout.shape;
    const key = `${Object.values(tile).join()} ${a.along}${a.vector} ${b.along}${b.vector} ${split}`;
    return this.cached(key, () => contractShader(kernel, layout.shape, limits.buffers));
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

  private extents(sizes: readonly number[]): number[] {
    const { batch, m, n, k } = axesOfContract(this.kernel);
    return [batch, m, n, k].map((axes) => product(axes.map((axis) => sizes[axis] as number)));
  }

  /** How it is laid out, or undefined where a loop does as well. */
  private layoutFor(sizes: readonly number[], params: readonly number[]): Layout | undefined {
    const { kernel, limits } = this;
    const [batch, m, n, k] = this.extents(sizes) as [number, number, number, number];
    if (!this.fits || batch * m * n === 0 || Math.min(m, n) < 2 || k < 8) return undefined;
    const axes = axesOfContract(kernel);
    // Software drivers are slow at barriers and at compiling, and have no shared memory of their own.
    if (limits.isSoftware) {
      if (batch * m * n * k < SMALLEST) return undefined;
      const block = { rows: m > 4 ? 8 : 4, columns: 4 };
      const threads = Math.ceil(m / block.rows) * Math.ceil(n / block.columns) * batch;
      const longest = sizes[axes.k[0] as number] as number;
      const chunks = Math.max(
        1,
        Math.min(longest, Math.floor(k / 64), Math.ceil(ENOUGH_SOFTWARE_THREADS / threads)),
      );
      const planOf = (e: Expr, outer: readonly number[]): { vector: boolean } => {
        const { along, vector } = operandPlan(e, outer, axes.k, sizes, params, true);
        return { vector: along === "outer" && vector };
      };
      const shape = {
        block,
        a: planOf(kernel.a, axes.m),
        b: planOf(kernel.b, axes.n),
        split: chunks > 1,
      };
      return {
        kind: "registers",
        shape,
        chunks,
        workgroups: Math.ceil((threads * chunks) / REGISTER_THREADS),
      };
    }
    if (m * n < 256) return undefined;
    // Small products share their shaders.
    const isLarge = m * n * k >= LARGE;
    const tile = isLarge ? tileFor(batch, m, n, limits) : small;
    const tiles = Math.ceil(m / tile.bm) * Math.ceil(n / tile.bn) * batch;
    const chunks =
      tiles >= ENOUGH_TILES
        ? 1
        : Math.max(1, Math.min(32, Math.floor(k / 256), Math.ceil((2 * ENOUGH_TILES) / tiles)));
    const shape = {
      tile,
      split: chunks > 1,
      a: operandPlan(kernel.a, axes.m, axes.k, sizes, params, isLarge),
      b: operandPlan(kernel.b, axes.n, axes.k, sizes, params, isLarge),
    };
    return { kind: "tile", shape, chunks, workgroups: tiles * chunks };
  }
}

/** How a contraction is laid out on threads. */
type Layout = { readonly chunks: number; readonly workgroups: number } & (
  | { readonly kind: "tile"; readonly shape: ContractShape }
  | { readonly kind: "registers"; readonly shape: RegisterShape }
);

/** Multiplications below which a software driver runs a loop, whose shader is made sooner. */
const SMALLEST = 2 ** 14;
/** Threads from which on a software driver has both processors at work. */
const ENOUGH_SOFTWARE_THREADS = 256;
/** Multiplications from which on it pays to have shaders of one's own. */
const LARGE = 2 ** 18;
/** With fewer tiles than this a device is not full. */
const ENOUGH_TILES = 96;

function tileFor(batch: number, m: number, n: number, limits: Limits): Tile {
  const count = ({ bm, bn }: Tile): number => Math.ceil(m / bm) * Math.ceil(n / bn) * batch;
  if (n <= 16 && m > 16) return tall;
  if (m <= 16 && n > 16) return wide;
  if (count(large) >= ENOUGH_TILES) {
    if (sharedBytes(largest) <= limits.shared) return largest;
    if (sharedBytes(large) <= limits.shared) return large;
  }
  return count(medium) >= ENOUGH_TILES / 4 ? medium : small;
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
  const along = strideAlong(lastK) !== 1 && strideAlong(lastOuter) === 1 ? "outer" : "k";
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

interface Numbers {
  readonly sizes: readonly number[];
  readonly params: readonly number[];
}

/** The value of an index expression that is the same everywhere, or undefined. */
function numberOf(e: Expr, numbers: Numbers): number | undefined {
  switch (e.kind) {
    case "const":
      return e.value;
    case "size":
      return numbers.sizes[e.axis];
    case "param":
      return numbers.params[e.index];
    case "op": {
      const [a, b] = e.args.map((arg) => numberOf(arg, numbers));
      if (a === undefined || b === undefined) return undefined;
      return e.op === "add" ? a + b : e.op === "sub" ? a - b : e.op === "mul" ? a * b : undefined;
    }
    default:
      return undefined;
  }
}

function isMultipleOfFour(e: Expr, numbers: Numbers): boolean {
  const value = numberOf(e, numbers);
  if (value !== undefined) return value % 4 === 0;
  if (e.kind !== "op") return false;
  const [a, b] = e.args as [Expr, Expr];
  if (e.op === "mul") return isMultipleOfFour(a, numbers) || isMultipleOfFour(b, numbers);
  return (e.op === "add" || e.op === "sub") && isMultipleOfFour(a, numbers) && isMultipleOfFour(b, numbers);
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
