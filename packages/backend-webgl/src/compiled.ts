import type { Executable, Kernel, NativeKernel } from "@gradus/core";
import type { Card } from "./card.js";
import { type NativeLoop, nativeLoops } from "./native-loops.js";
import { KernelPlans, type LaunchFacts, type Step } from "./plan.js";

/** A part of a launch, on all of its buffers. */
export interface Pass {
  readonly steps: readonly Step[];
  readonly sizes: readonly number[];
  readonly params: readonly number[];
}

/** A kernel of this device. */
export class Compiled implements Executable {
  /** The same on the host, where that is what runs it. */
  onHost: Executable | undefined;
  private readonly plans: KernelPlans | NativePlans;

  constructor(
    readonly kernel: Kernel,
    readonly owner: object,
    card: Card,
  ) {
    this.plans = kernel.kind === "native" ? new NativePlans(kernel, card) : new KernelPlans(kernel, card);
  }

  leavesDevice(sizes: readonly number[]): boolean {
    return this.plans.isHosts(sizes);
  }

  /** What the card does, in order; undefined where the launch is the host's. */
  passes(facts: LaunchFacts): readonly Pass[] | undefined {
    if (this.plans instanceof NativePlans) return this.plans.passes(facts);
    const { sizes, params } = facts;
    const steps = this.plans.planFor(facts);
    return steps === undefined ? undefined : [{ steps, sizes, params }];
  }
}

/** A native, as the loops that compute it. */
class NativePlans {
  /** By how many sizes there are. */
  private readonly loops = new Map<
    number,
    readonly { readonly loop: NativeLoop; readonly plans: KernelPlans }[] | undefined
  >();

  constructor(
    private readonly kernel: NativeKernel,
    private readonly card: Card,
  ) {}

  passes(facts: LaunchFacts): readonly Pass[] | undefined {
    const passes: Pass[] = [];
    for (const { loop, plans } of this.loopsFor(facts.sizes) ?? []) {
      const { sizes, params } = loop.launch(facts.sizes);
      const steps = plans.planFor({ ...facts, sizes, params });
      if (steps === undefined) return undefined;
      passes.push({ steps, sizes, params });
    }
    return passes.length === 0 ? undefined : passes;
  }

  isHosts(sizes: readonly number[]): boolean {
    const loops = this.loopsFor(sizes);
    return loops?.some(({ loop, plans }) => plans.isHosts(loop.launch(sizes).sizes)) ?? true;
  }

  /** The loops, unless the host is sooner done: an element of theirs looks at all that may come to it. */
  private loopsFor(sizes: readonly number[]) {
    const rank = sizes.length;
    if (!this.loops.has(rank)) {
      const loops = nativeLoops(this.kernel, rank);
      this.loops.set(
        rank,
        loops?.map((loop) => ({ loop, plans: new KernelPlans(loop.kernel, this.card) })),
      );
    }
    const looked = (loop: NativeLoop): number => loop.launch(sizes).sizes.reduce((a, b) => a * b, 1);
    const loops = this.loops.get(rank);
    return loops?.every(({ loop }) => looked(loop) <= this.card.mostLooked) === true ? loops : undefined;
  }
}
