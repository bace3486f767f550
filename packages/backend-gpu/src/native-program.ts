import { type Cumulation, fail, formatShape, type NativeKernel, type Scattering } from "@gradus/core";
import { cumulateShader } from "./emit/cumulate-shader.js";
import {
  MAX_RANK,
  SORT_BLOCK,
  scatterShader,
  sortBlocksShader,
  sortMergeShader,
} from "./emit/native-shader.js";
import type { Shader } from "./emit/shader.js";
import { type Limits, product } from "./loop-program.js";
import type { Pipelines } from "./pipelines.js";
import type { GpuProgram, Work } from "./work.js";

/**
 * A native on the device, where there is a shader for it; else the host computes it by the reference in `@gradus/core`, and what
 * comes after it waits.
 */
export class NativeProgram implements GpuProgram {
  readonly deciding = [];
  readonly messages: readonly string[];
  private readonly shaders = new Map<string, Shader>();

  constructor(
    private readonly kernel: NativeKernel,
    private readonly pipelines: Pipelines,
    private readonly limits: Limits,
  ) {
    const scatters = kernel.native === "scatterAdd" || kernel.native === "scatterRows";
    this.messages = scatters ? [`${kernel.native}: an index is out of range for its axis`] : [];
  }

  plan(sizes: readonly number[]): readonly Work[] {
    const { kernel } = this;
    switch (kernel.native) {
      case "scatterAdd": {
        const rank = sizes.length / 2;
        const [shape, indexShape] = [sizes.slice(0, rank), sizes.slice(rank)];
        const axis = Number(kernel.attrs.axis);
        this.expect(sizes, Number.isInteger(rank) && axis < rank);
        this.expect(
          sizes,
          indexShape.every((size, i) => i === axis || size <= (shape[i] as number)),
        );
        return this.isOnHost(sizes) ? this.onHost(sizes) : this.scatter("sum", true, shape, indexShape, axis);
      }
      case "scatterRows": {
        this.expect(sizes, sizes.length === 4);
        const [outer, n, k, inner] = sizes as [number, number, number, number];
        const full = kernel.attrs.full === true;
        const op = kernel.attrs.op as Scattering;
        return this.scatter(op, full, [outer, n, inner], [outer, k, inner], 1);
      }
      case "argsort": {
        this.expect(sizes, sizes.length === 2);
        const [rows, n] = sizes as [number, number];
        return this.sort(rows, n);
      }
      case "cumulate": {
        this.expect(sizes, sizes.length === 3);
        const [outer, n, inner] = sizes as [number, number, number];
        return this.cumulate(outer, n, inner);
      }
      case "host":
        return this.onHost(sizes);
    }
  }

  isOnHost(sizes: readonly number[]): boolean {
    const { native } = this.kernel;
    return native === "host" || (native === "scatterAdd" && sizes.length / 2 > MAX_RANK);
  }

  shadersFor(): readonly Shader[] {
    return [];
  }

  private onHost(sizes: readonly number[]): Work[] {
    return [{ kind: "host", kernel: this.kernel, sizes: [...sizes] }];
  }

  private scatter(
    op: Scattering,
    full: boolean,
    shape: readonly number[],
    indexShape: readonly number[],
    axis: number,
  ): Work[] {
    const n = shape[axis] as number;
    const total = product(shape);
    if (total === 0) return [];
    const lines = total / n;
    // Lines that are too few to fill the device are cut.
    const wanted = Math.max(1, Math.min(n, Math.ceil(ENOUGH_THREADS / lines)));
    const length = Math.ceil(n / wanted);
    const ranges = Math.ceil(n / length);
    const shader = this.shader(`scatter ${op} ${full}`, () =>
      scatterShader(this.kernel.outputs[0] as "f32", op, full),
    );
    return [
      {
        kind: "dispatch",
        pipeline: this.pipelines.get(shader, this.kernel.name),
        workgroups: Math.ceil((lines * ranges) / 64),
        words: [lines * ranges, ranges, 0, shape.length, axis, length, 0, 0, ...shape, ...indexShape],
        checks: true,
        operations: product(indexShape),
      },
    ];
  }

  private sort(rows: number, n: number): Work[] {
    const { kernel } = this;
    if (rows * n === 0) return [];
    const [dtype, descending] = [kernel.inputs[0] as "f32", kernel.attrs.descending === true];
    const blocks = Math.ceil(n / SORT_BLOCK);
    const merges = Math.ceil(Math.log2(blocks));
    const first = this.shader("blocks", () => sortBlocksShader(dtype, descending));
    const scratch = { at: 0, bytes: merges === 0 ? 16 : 4 * rows * n };
    // The last of them writes to the output, the one before to scratch memory, and so on.
    const work: Work[] = [
      {
        kind: "dispatch",
        pipeline: this.pipelines.get(first, kernel.name),
        workgroups: rows * blocks,
        words: [rows * blocks, blocks, n, merges % 2 === 0 ? 1 : 0],
        scratch,
        operations: rows * n * Math.min(n, SORT_BLOCK),
      },
    ];
    if (merges === 0) return work;
    const merge = this.shader("merge", () => sortMergeShader(dtype, descending));
    for (let i = 0; i < merges; i++) {
      work.push({
        kind: "dispatch",
        pipeline: this.pipelines.get(merge, kernel.name),
        workgroups: Math.ceil((rows * n) / 64),
        words: [rows * n, n, SORT_BLOCK * 2 ** i, (merges - 1 - i) % 2 === 0 ? 1 : 0],
        scratch,
        operations: rows * n,
      });
    }
    return work;
  }

  private cumulate(outer: number, n: number, inner: number): Work[] {
    const { kernel } = this;
    const lines = outer * inner;
    if (lines * n === 0) return [];
    const op = kernel.attrs.op as Cumulation;
    // A product of floats is taken in order: parts of it may overflow where the whole does not.
    const isShared = n > 64 && lines < 4096 && !(op === "prod" && kernel.inputs[0] === "f32");
    const shader = this.shader(`cumulate ${isShared}`, () =>
      cumulateShader(op, kernel.inputs[0] as "f32", isShared, this.limits.subgroups),
    );
    return [
      {
        kind: "dispatch",
        pipeline: this.pipelines.get(shader, kernel.name),
        workgroups: isShared ? lines : Math.ceil(lines / 64),
        words: [lines, n, inner, 0],
        operations: lines * n,
      },
    ];
  }

  private shader(key: string, make: () => Shader): Shader {
    let shader = this.shaders.get(key);
    if (shader === undefined) {
      shader = make();
      this.shaders.set(key, shader);
    }
    return shader;
  }

  private expect(sizes: readonly number[], isValid: boolean): void {
    if (isValid) return;
    const { name, native } = this.kernel;
    fail("kernel-invalid", `kernel "${name}": ${native} does not take the sizes ${formatShape(sizes)}`);
  }
}

const ENOUGH_THREADS = 16384;
