import { type Expr, type LoopKernel, postOrder } from "@gradus/core";
import { DenseBuffers, noFours } from "./dense-buffers.js";
import { ARGUMENTS } from "./emit/bindings.js";
import { loopShader } from "./emit/loop-shader.js";
import { type LoopShape, SERIAL_THREADS } from "./emit/loop-shape.js";
import type { MatrixUnits } from "./emit/matrix-shader.js";
import type { Shader } from "./emit/shader.js";
import { stageLevels } from "./emit/stage-levels.js";
import { isVectorizable, vectorShader } from "./emit/vector-shader.js";
import { equalitiesOf, withEqualities } from "./equal-loops.js";
import type { Numbers } from "./index-numbers.js";
import { loopLayout, readsColumns } from "./loop-layout.js";
import { asRows, rowsPay } from "./map-rows.js";
import type { Pipelines } from "./pipelines.js";
import type { Copy, Dispatch, GpuProgram, Work } from "./work.js";

/** The limits of a device that decide how kernels are laid out. */
export interface Limits {
  /** The most storage buffers of a shader. */
  readonly buffers: number;
  /** Bytes of memory that a workgroup shares. */
  readonly shared: number;
  /** Whether the device is the processor after all. */
  readonly isSoftware: boolean;
  /** Whether shaders may use subgroups. */
  readonly subgroups: boolean;
  /** The most threads of a workgroup. */
  readonly threads: number;
  /** Whether operands of contractions are rounded to float16. */
  readonly halfContractions: boolean;
  /** Whether shaders may keep numbers in float16. */
  readonly halves: boolean;
  /** The units for products of small matrices, where contractions may use them. */
  readonly units: MatrixUnits | undefined;
}

/** A loop kernel on the device. Its layout on threads depends on the kernel and the numbers of a launch alone, and so do its results. */
export class LoopProgram implements GpuProgram {
  readonly deciding: readonly number[];
  readonly messages: readonly string[];
  private readonly shaders = new Map<string, Shader>();
  private readonly columnwise: boolean;
  private readonly dense: DenseBuffers | undefined;
  private vector: Shader | undefined | null = null;
  /** The same for a map by rows, on cards. */
  private readonly rows: LoopProgram | undefined;

  constructor(
    readonly kernel: LoopKernel,
    private readonly pipelines: Pipelines,
    private readonly limits: Limits,
  ) {
    const { inputs, outputs, checks } = kernel;
    this.messages = checks?.map((check) => check.message) ?? [];
    this.columnwise = readsColumns(kernel);
    // Buffers that lie in scratch memory are no vectors.
    if (inputs.length + outputs.length + 2 <= limits.buffers) this.dense = new DenseBuffers(kernel);
    const rows = limits.isSoftware ? undefined : asRows(kernel);
    if (rows !== undefined) this.rows = new LoopProgram(rows, pipelines, limits);
    this.deciding = this.rows?.deciding ?? this.dense?.deciding ?? [];
  }

  plan(sizes: readonly number[], params: readonly number[], bytes: readonly number[]): Work[] {
    const { kernel, rows } = this;
    const points = product(sizes.slice(0, kernel.grid));
    if (points === 0) return [];
    if (rows?.paysAsRows({ sizes, params }) === true) return rows.plan(sizes, params, bytes);
    return this.layOut({ sizes, params }, points).flatMap((pass) => {
      const { shader, workgroups, chunks, threads, scratchBytes } = pass;
      const words = [points, chunks, 0, threads, ...sizes, ...kernel.params.map(() => 0)];
      const dispatch: Dispatch = {
        kind: "dispatch",
        pipeline: this.pipelines.get(shader, kernel.name),
        workgroups,
        words,
        paramsAt: ARGUMENTS.first + sizes.length,
        checks: shader.bindings.some(({ kind }) => kind === "errors"),
        ...(scratchBytes > 0 && { scratch: { at: 0, bytes: scratchBytes } }),
        operations: operationsOf(kernel, sizes, points),
      };
      return shader.packed.length === 0 ? [dispatch] : packed(kernel, shader, dispatch, bytes);
    });
  }

  /** The shaders that launches of these sizes need. */
  shadersFor(sizes: readonly number[]): Shader[] {
    const points = product(sizes.slice(0, this.kernel.grid));
    // Strides among the params are not known yet: most are those of rows that lie densely, multiples of four if their length is.
    const params = this.kernel.params.map(() => 0);
    if (this.rows?.paysAsRows({ sizes, params }) === true) return this.rows.shadersFor(sizes);
    return points === 0 ? [] : this.layOut({ sizes, params }, points).map(({ shader }) => shader);
  }

  private paysAsRows(numbers: Numbers): boolean {
    return this.dense !== undefined && rowsPay(this.kernel, this.dense, numbers);
  }

  private layOut(numbers: Numbers, points: number) {
    const { kernel, limits, columnwise } = this;
    const whole = { chunks: 1, threads: 0, scratchBytes: 0 };
    if (isVectorizable(kernel)) {
      if (this.vector === null) this.vector = vectorShader(kernel, limits.buffers);
      if (this.vector !== undefined) {
        return [{ ...whole, shader: this.vector, workgroups: Math.ceil(points / 256) }];
      }
    }
    const fours = this.dense?.of(numbers) ?? noFours;
    const layout = loopLayout(kernel, numbers.sizes, points, { columnwise, fours, limits });
    if (layout.threads === 1) {
      const shader = this.shader({ isParallel: false, subgroups: false, fours });
      return [{ ...whole, shader, workgroups: Math.ceil(points / SERIAL_THREADS) }];
    }
    const { groups, chunks, held } = layout;
    const threads = layout.threads + (layout.alongGrid ? 1024 : 0);
    const subgroups = limits.subgroups && kernel.stages.length > 0;
    const shape = { isParallel: true, subgroups, fours };
    if (chunks === 1) {
      const shader = held === undefined ? this.shader(shape) : this.heldShader({ ...shape, held }, numbers);
      return [{ ...whole, threads, shader, workgroups: groups }];
    }
    const scratchBytes = 4 * 2 * kernel.stages.length * points * chunks;
    const passes = Math.max(...stageLevels(kernel)) + 2;
    return Array.from({ length: passes }, (_, pass) => ({
      shader: this.shader({ ...shape, pass }),
      workgroups: groups * chunks,
      chunks,
      threads,
      scratchBytes,
    }));
  }

  private shader(shape: LoopShape): Shader {
    return this.cached(shape, "", () => loopShader(this.kernel, shape, this.limits.buffers));
  }

  /** A shader that keeps rows in registers, for all that goes through them. */
  private heldShader(shape: LoopShape, numbers: Numbers): Shader {
    const equalities = equalitiesOf(this.kernel, numbers, this.deciding);
    return this.cached(shape, equalities.key, () => {
      const kernel = withEqualities(this.kernel, equalities);
      const fours = this.dense === undefined ? noFours : new DenseBuffers(kernel).of(numbers);
      return loopShader(kernel, { ...shape, fours }, this.limits.buffers);
    });
  }

  private cached({ isParallel, pass, held, fours }: LoopShape, more: string, make: () => Shader): Shader {
    const key = `${isParallel} ${pass} ${held} ${[...fours.buffers].sort()} ${more}`;
    let shader = this.shaders.get(key);
    if (shader === undefined) {
      shader = make();
      this.shaders.set(key, shader);
    }
    return shader;
  }
}

/** A dispatch between the copies of the buffers that it has no room to bind. */
function packed(kernel: LoopKernel, shader: Shader, dispatch: Dispatch, bytes: readonly number[]): Work[] {
  const before: Copy[] = [];
  const after: Copy[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const buffer of shader.packed) {
    const size = Math.ceil((bytes[buffer] as number) / 4) * 4;
    offsets.push(at / 4);
    const copy = { kind: "copy", bytes: size } as const;
    before.push({ ...copy, from: buffer, fromAt: 0, to: "scratch", toAt: at });
    if (buffer >= kernel.inputs.length)
      after.push({ ...copy, from: "scratch", fromAt: at, to: buffer, toAt: 0 });
    at += size;
  }
  const scratch = { at: 0, bytes: Math.max(at, 4) };
  return [...before, { ...dispatch, words: [...dispatch.words, ...offsets], scratch }, ...after];
}

/** How many operations a launch does on numbers; those on indices do not count. */
function operationsOf({ stages, writes }: LoopKernel, sizes: readonly number[], points: number): number {
  const count = (value: Expr): number =>
    postOrder([value]).filter((e) => e.kind === "op" && e.dtype === "f32").length;
  return [
    ...stages.map(({ over, value }) => ({ over, each: count(value) + 1 })),
    ...writes.map(({ over, value }) => ({ over, each: count(value) })),
  ].reduce(
    (sum, { over, each }) => sum + points * each * product(over.map((axis) => sizes[axis] as number)),
    0,
  );
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}
