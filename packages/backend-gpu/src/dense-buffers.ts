import { affineIn, dependsOnAxis, type Expr, type LoopKernel, postOrder } from "@gradus/core";
import { bufferOf } from "./emit/bindings.js";
import { isMultipleOfFour, type Numbers, wholeParamsIn } from "./index-numbers.js";

/** How a loop goes through a buffer: from `base` on one element after another along its innermost axis, or otherwise. */
interface Walk {
  readonly buffer: number;
  readonly over: readonly number[];
  readonly base: Expr | undefined;
}

/** What a launch may load and store four elements at a time. */
export interface Fours {
  /** Buffers of the launch, outputs after inputs. */
  readonly buffers: ReadonlySet<number>;
  /** The loops that do so, by their axes. */
  readonly loops: ReadonlySet<string>;
}

export const noFours: Fours = { buffers: new Set(), loops: new Set() };

/**
 * The buffers of a kernel whose elements its loops take one after another, so that four may be loaded or stored at a time. What
 * the kernel says of it is found once; `of` says it of a launch.
 */
export class DenseBuffers {
  private readonly walks: readonly Walk[];

  constructor(private readonly kernel: LoopKernel) {
    const { stages, writes, checks = [] } = kernel;
    this.walks = [
      ...stages.flatMap(({ over, value }) => this.loads(over, [value])),
      ...checks.flatMap(({ over, holds }) => this.loads(over, [holds])),
      ...writes.flatMap(({ over, index, value, buffer }) => [
        ...this.loads(over, [index, value]),
        walk(kernel.inputs.length + buffer, index, over),
      ]),
    ];
  }

  /** The params, strides, that decide. */
  get deciding(): readonly number[] {
    return wholeParamsIn(this.walks.flatMap(({ base }) => base ?? []));
  }

  of(numbers: Numbers): Fours {
    const fit = new Map<number, string[]>();
    const misfits = new Set<number>();
    for (const { buffer, over, base } of this.walks) {
      const length = numbers.sizes[over.at(-1) as number] as number;
      const isWhole = length % 4 === 0 || mayEndAnywhere(this.kernel, over);
      if (base === undefined || !isWhole || !isMultipleOfFour(base, numbers)) misfits.add(buffer);
      else fit.set(buffer, [...(fit.get(buffer) ?? []), over.join()]);
    }
    for (const buffer of misfits) fit.delete(buffer);
    return { buffers: new Set(fit.keys()), loops: new Set([...fit.values()].flat()) };
  }

  /** What a loop loads and changes with its innermost axis. */
  private loads(over: readonly number[], roots: readonly Expr[]): Walk[] {
    const inner = over.at(-1);
    if (inner === undefined) return [];
    return postOrder(roots).flatMap((e) => {
      if (e.kind !== "load" || !dependsOnAxis(e, inner)) return [];
      const buffer = bufferOf(this.kernel, e.buffer);
      return e.guard === undefined ? walk(buffer, e.index, over) : { buffer, over, base: undefined };
    });
  }
}

/**
 * Whether the last four of a loop may lie beyond its end, if it takes four at a time: where there is one row. Memory has room for
 * whole vectors; of a row that others follow they would be the next one's.
 */
export function mayEndAnywhere({ grid }: LoopKernel, over: readonly number[]): boolean {
  return grid === 0 && over.length === 1;
}

function walk(buffer: number, index: Expr, over: readonly number[]): Walk {
  const along = over.length === 0 ? undefined : affineIn(index, over.at(-1) as number);
  const isDense = along?.stride.kind === "const" && along.stride.value === 1;
  return { buffer, over, base: isDense ? along.base : undefined };
}
