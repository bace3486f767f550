import { affineIn, type Expr, type LoopKernel, postOrder } from "@gradus/core";
import { ARGUMENTS } from "./emit/bindings.js";
import { loopShader, PARALLEL_THREADS, SERIAL_THREADS } from "./emit/loop-shader.js";
import type { Shader } from "./emit/shader.js";
import { isVectorizable, vectorShader } from "./emit/vector-shader.js";
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
  /** Whether operands of contractions are rounded to float16. */
  readonly halfContractions: boolean;
}

/** With fewer workgroups than this a device is not full. */
const ENOUGH_GROUPS = 64;

/** A loop kernel on the device. Its layout on threads depends on the kernel and the sizes alone, and so do its results. */
export class LoopProgram implements GpuProgram {
  readonly dependsOnParams = false;
  readonly messages: readonly string[];
  private readonly shaders = new Map<string, Shader>();
  private readonly columnwise: boolean;
  private vector: Shader | undefined | null = null;

  constructor(
    readonly kernel: LoopKernel,
    private readonly pipelines: Pipelines,
    private readonly limits: Limits,
  ) {
    this.messages = kernel.checks?.map((check) => check.message) ?? [];
    this.columnwise = readsColumns(kernel);
  }

  plan(sizes: readonly number[], _params: readonly number[], bytes: readonly number[]): Work[] {
    const { kernel } = this;
    const points = product(sizes.slice(0, kernel.grid));
    if (points === 0) return [];
    return this.layOut(sizes, points).flatMap(({ shader, workgroups, chunks, threads, scratchBytes }) => {
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
    return points === 0 ? [] : this.layOut(sizes, points).map(({ shader }) => shader);
  }

  private layOut(sizes: readonly number[], points: number) {
    const { kernel, limits } = this;
    const whole = { chunks: 1, threads: 0, scratchBytes: 0 };
    if (isVectorizable(kernel)) {
      if (this.vector === null) this.vector = vectorShader(kernel, limits.buffers);
      if (this.vector !== undefined) {
        return [{ ...whole, shader: this.vector, workgroups: Math.ceil(points / 256) }];
      }
    }
    const { y, alongGrid } = this.threadsFor(sizes, points);
    if (y === 1)
      return [{ ...whole, shader: this.shader(false), workgroups: Math.ceil(points / SERIAL_THREADS) }];
    const threads = y + (alongGrid ? 1024 : 0);
    const groups = Math.ceil((points * y) / PARALLEL_THREADS);
    const chunks = this.chunksFor(sizes, groups, y);
    if (chunks === 1) return [{ ...whole, threads, shader: this.shader(true), workgroups: groups }];
    const scratchBytes = 4 * 2 * kernel.stages.length * points * chunks;
    return [...kernel.stages.keys(), kernel.stages.length].map((pass) => ({
      shader: this.shader(true, pass),
      workgroups: groups * chunks,
      chunks,
      threads,
      scratchBytes,
    }));
  }

  private shader(isParallel: boolean, pass?: number): Shader {
    const key = `${isParallel} ${pass}`;
    let shader = this.shaders.get(key);
    if (shader === undefined) {
      shader = loopShader(
        this.kernel,
        {
          isParallel,
          subgroups: isParallel && this.kernel.stages.length > 0 && this.limits.subgroups,
          ...(pass !== undefined && { pass }),
        },
        this.limits.buffers,
      );
      this.shaders.set(key, shader);
    }
    return shader;
  }

  /** How many threads work on a point, and whether neighbouring threads are neighbouring points. */
  private threadsFor(sizes: readonly number[], points: number): { y: number; alongGrid: boolean } {
    const length = longestLoop(this.kernel, sizes);
    // Software drivers run threads one after another, and barriers cost them most.
    const enough = this.limits.isSoftware ? 8 : this.columnwise ? 65536 : Infinity;
    if (length <= 16 || points >= enough) return { y: 1, alongGrid: true };
    if (this.columnwise && points >= 16) {
      const y = PARALLEL_THREADS / (points >= 32 ? 32 : 16);
      return { y: Math.min(y, powerOfTwo(length / 2)), alongGrid: true };
    }
    return { y: Math.min(PARALLEL_THREADS, powerOfTwo(length / 4)), alongGrid: false };
  }

  /** Into how many parts stages are cut: only where there are too few points to fill the device. */
  private chunksFor(sizes: readonly number[], groups: number, y: number): number {
    const { kernel } = this;
    if (kernel.stages.length === 0 || groups >= ENOUGH_GROUPS || y === 1) return 1;
    // With packed buffers there is no other scratch memory.
    if (kernel.inputs.length + kernel.outputs.length + 2 > this.limits.buffers) return 1;
    const length = longestLoop(kernel, sizes);
    return Math.max(1, Math.min(y, Math.floor(length / (y * 16)), Math.ceil((4 * ENOUGH_GROUPS) / groups)));
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

function longestLoop({ stages, writes, checks = [] }: LoopKernel, sizes: readonly number[]): number {
  const lengths = [...stages, ...writes, ...checks].map(({ over }) =>
    product(over.map((axis) => sizes[axis] as number)),
  );
  return Math.max(1, ...lengths);
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

/** Whether neighbouring grid points read neighbouring elements in the stages, rather than steps of a loop. */
function readsColumns({ grid, stages }: LoopKernel): boolean {
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

/** The least power of two that is not less. */
function powerOfTwo(n: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(n)));
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((result, size) => result * size, 1);
}
