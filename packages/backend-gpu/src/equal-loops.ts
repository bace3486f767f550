import { type Expr, type LoopKernel, substitution } from "@gradus/core";
import type { Numbers } from "./index-numbers.js";

/** What of a kernel is the same in a launch, though the kernel does not say so. */
export interface Equalities {
  /** For the axes of each loop those of the first one that has the same sizes. */
  readonly loops: ReadonlyMap<string, readonly number[]>;
  /** For each param the first one that is the same stride. */
  readonly params: readonly number[];
  readonly key: string;
}

/** Finds loops of the same sizes, and params among `strides` that are the same number. */
export function equalitiesOf(kernel: LoopKernel, numbers: Numbers, strides: readonly number[]): Equalities {
  const first = new Map<string, readonly number[]>();
  const loops = new Map<string, readonly number[]>();
  for (const { over } of [...kernel.stages, ...kernel.writes, ...(kernel.checks ?? [])]) {
    const sizes = over.map((axis) => numbers.sizes[axis]).join();
    const axes = first.get(sizes) ?? over;
    first.set(sizes, axes);
    loops.set(over.join(), axes);
  }
  const params = kernel.params.map((_, i) =>
    strides.includes(i)
      ? (strides.find((other) => numbers.params[other] === numbers.params[i]) as number)
      : i,
  );
  return { loops, params, key: `${[...loops.values()].join(";")} ${params}` };
}

/**
 * The kernel with what is equal written alike. Joined from several operations, it may go through the same row along one axis for
 * a mean and along another one for what the mean is taken from; now it is seen that they load the same elements.
 */
export function withEqualities(kernel: LoopKernel, { loops, params }: Equalities): LoopKernel {
  const alike = <T extends { readonly over: readonly number[] }>(loop: T, ...names: (keyof T)[]): T => {
    const axes = loops.get(loop.over.join()) as readonly number[];
    const move = substitution((e) => {
      if (e.kind === "param") return { ...e, index: params[e.index] as number };
      if (e.kind !== "axis" && e.kind !== "size") return undefined;
      const place = loop.over.indexOf(e.axis);
      return place < 0 ? e : { ...e, axis: axes[place] as number };
    });
    const moved = Object.fromEntries(names.map((name) => [name, move(loop[name] as Expr)]));
    return { ...loop, over: axes, ...moved };
  };
  return {
    ...kernel,
    stages: kernel.stages.map((stage) => alike(stage, "value")),
    writes: kernel.writes.map((write) => alike(write, "index", "value")),
    ...(kernel.checks !== undefined && { checks: kernel.checks.map((check) => alike(check, "holds")) }),
  };
}
