import {
  type Aval,
  type Backend,
  bytesOf,
  contiguousLayout,
  type Executable,
  isContiguous,
  type Kernel,
  type Layout,
  mayOverwrite,
  type Scalar,
  sizeOf,
} from "@gradus/core";
import { copyAttrs } from "../copy.js";
import { executableFor } from "../device.js";
import { realise } from "../lowering/realise.js";
import { elementwise } from "../ops/elementwise.js";
import type { Storage } from "../storage.js";
import { fuse } from "./fuse/fuse.js";
import { type Computed, type KernelNode, lowerTrace, type Operand } from "./lower-trace.js";
import type { Source, Trace } from "./trace.js";

/** Memory that a compiled function uses, and from when to when (indices of launches). */
export interface Slot {
  readonly bytes: number;
  kind: "argument" | "captured" | "temporary" | "result";
  /** Which argument, or which result. */
  index: number;
  readonly storage?: Storage;
  /** The launch that writes it (-1: it is there from the start) and the last one that reads it. */
  readonly born: number;
  lastUse: number;
  /** For a result: the donated argument whose memory it takes over. */
  reuses?: Slot;
  /** For a temporary: which of the plan's buffers it is in. */
  buffer?: number;
}

export interface PlannedLaunch {
  readonly name: string;
  readonly executable: Executable;
  readonly slots: readonly Slot[];
  readonly sizes: readonly number[];
  readonly params: readonly (number | Scalar)[];
}

/** How a result is returned: in memory of its own, or as the very storage of an argument or captured tensor. */
export interface PlannedResult {
  readonly aval: Aval;
  readonly slot: Slot;
}

/** A launch while memory is still being planned. */
interface Draft {
  readonly name: string;
  readonly key: string;
  readonly kernel: Kernel;
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
  readonly sizes: readonly number[];
  readonly params: readonly (number | Scalar)[];
}

/** A compiled function, ready to be replayed: launches in order, and where each of their buffers is. */
export interface Plan {
  readonly launches: readonly PlannedLaunch[];
  readonly results: readonly PlannedResult[];
  readonly arguments: readonly Slot[];
  /** Sizes of the buffers that temporaries share. */
  readonly temporaries: readonly number[];
  /** Memory of tensors from outside. */
  readonly captured: ReadonlySet<Storage>;
}

interface Placed {
  readonly slot: Slot;
  readonly layout: Layout;
}

/**
 * Plans a trace: drops calls that no result needs, joins the others into kernels, and gives every value its memory.
 * Temporaries share buffers as soon as their last reader is done; a result takes over a donated argument of the same size
 * where that is safe.
 */
export function planTrace(
  trace: Trace,
  results: readonly number[],
  device: Backend,
  donated: ReadonlySet<number>,
): Plan {
  const lowered = lowerTrace(trace, results);
  const returned = results.map((id) => lowered.operand(id));
  const wanted = new Set(returned.map(({ root }) => root));
  const builder = new PlanBuilder(trace);
  for (const node of fuse(lowered.nodes, wanted, device.caps)) builder.add(node);
  const planned = returned.map((operand, k) => builder.result(operand, k));
  reuseDonated(builder.drafts, builder.slots, donated);
  const temporaries = shareBuffers(builder.drafts, builder.slots, device.caps.copiesRest === true);
  return {
    launches: builder.drafts.map((draft) => finish(draft, device)),
    results: planned,
    arguments: builder.arguments(),
    temporaries,
    captured: new Set(builder.slots.flatMap((slot) => (slot.storage === undefined ? [] : [slot.storage]))),
  };
}

class PlanBuilder {
  readonly drafts: Draft[] = [];
  readonly slots: Slot[] = [];
  private readonly slotOf = new Map<number, Slot>();
  private readonly claimed = new Set<Slot>();

  constructor(private readonly trace: Trace) {
    trace.values.forEach((source, root) => {
      if (source.kind === "argument") this.slot(root);
    });
  }

  arguments(): Slot[] {
    return this.slots.filter((slot) => slot.kind === "argument").sort((a, b) => a.index - b.index);
  }

  add({ name, lowered, operands, outputs, avals }: KernelNode): void {
    const placed = operands.map((x) => this.place(x));
    const made = this.launch(name, lowered, placed, avals);
    outputs.forEach((root, k) => {
      this.slotOf.set(root, (made[k] as Placed).slot);
    });
  }

  /** Where result `k` is: a temporary that nothing else returns becomes the result, anything else is copied. */
  result(operand: Operand, k: number): PlannedResult {
    const source = this.place(operand);
    const whole = isContiguous(source.layout) && source.layout.offset === 0;
    const { slot } = source;
    const fits = slot.bytes === bytesOfAval(source.layout);
    const passed = slot.kind === "argument" || slot.kind === "captured";
    if (!whole || !fits || this.claimed.has(slot)) return this.returned(this.copy(source), k);
    if (passed) {
      this.claimed.add(slot);
      slot.lastUse = Number.POSITIVE_INFINITY;
      return { aval: source.layout, slot };
    }
    return this.returned(source, k);
  }

  private returned({ slot, layout }: Placed, k: number): PlannedResult {
    slot.kind = "result";
    slot.index = k;
    slot.lastUse = Number.POSITIVE_INFINITY;
    this.claimed.add(slot);
    return { aval: layout, slot };
  }

  private place({ root, layout }: Operand): Placed {
    return { slot: this.slot(root), layout };
  }

  private slot(root: number): Slot {
    const known = this.slotOf.get(root);
    if (known !== undefined) return known;
    const source = this.trace.values[root] as Source;
    const slot = this.slotOfSource(source);
    this.slots.push(slot);
    this.slotOf.set(root, slot);
    return slot;
  }

  private slotOfSource(source: Source): Slot {
    const slot = { bytes: bytesOfAval(source.aval), index: 0, born: -1, lastUse: -1 };
    if (source.kind === "argument") return { ...slot, kind: "argument", index: source.index };
    if (source.kind === "captured" && source.tensor.value.kind === "stored") {
      const { storage } = source.tensor.value;
      return { ...slot, bytes: storage.buffer.bytes, kind: "captured", storage };
    }
    throw new Error("a computed value is used before it is computed");
  }

  private copy(x: Placed): Placed {
    const lowered = elementwise.lower([x.layout], copyAttrs(x.layout.dtype), [x.layout]) as Computed;
    return this.launch("copy", lowered, [x], [x.layout])[0] as Placed;
  }

  private launch(
    name: string,
    lowered: Computed,
    operands: readonly Placed[],
    avals: readonly Aval[],
  ): Placed[] {
    const realised = realise(
      lowered,
      operands.map((x) => x.layout),
      avals,
    );
    const hasWork = avals.some((aval) => sizeOf(aval.shape) > 0);
    const inputs = operands.map((x, i) => (hasWork && realised.dense.includes(i) ? this.copy(x) : x));
    const at = this.drafts.length;
    const outputs = avals.map((aval): Placed => {
      const slot: Slot = { bytes: bytesOfAval(aval), kind: "temporary", index: 0, born: at, lastUse: at };
      this.slots.push(slot);
      return { slot, layout: contiguousLayout(aval) };
    });
    // Without elements there is nothing to compute.
    if (!hasWork) return outputs;
    for (const { slot } of inputs) slot.lastUse = Math.max(slot.lastUse, at);
    this.drafts.push({
      name,
      key: realised.key,
      kernel: realised.build(),
      inputs: inputs.map((x) => x.slot),
      outputs: outputs.map((x) => x.slot),
      sizes: realised.sizes,
      params: realised.params,
    });
    return outputs;
  }
}

function bytesOfAval(aval: Aval): number {
  return sizeOf(aval.shape) * bytesOf(aval.dtype);
}

/** Whether `output` may be in the memory of `source`. */
function mayTakeOver(drafts: readonly Draft[], source: Slot, output: Slot): boolean {
  if (source.bytes !== output.bytes) return false;
  if (source.lastUse < output.born) return true;
  const draft = drafts[output.born];
  if (draft === undefined || source.lastUse !== output.born) return false;
  // Read for the last time by the very launch that writes: fine if it reads each element before it writes it.
  const reads = draft.inputs.flatMap((slot, k) => (slot === source ? [k] : []));
  return reads.length === 1 && mayOverwrite(draft.kernel, draft.outputs.indexOf(output), reads[0] as number);
}

/**
 * Lets results take over donated arguments, in the order of both: what a step returns in place of a parameter then goes
 * where the parameter was, on every call.
 */
function reuseDonated(drafts: readonly Draft[], slots: readonly Slot[], donated: ReadonlySet<number>): void {
  const byIndex = (a: Slot, b: Slot): number => a.index - b.index;
  const free = slots.filter((slot) => slot.kind === "argument" && donated.has(slot.index)).sort(byIndex);
  for (const output of slots.filter((slot) => slot.kind === "result").sort(byIndex)) {
    const at = free.findIndex((source) => mayTakeOver(drafts, source, output));
    if (at >= 0) output.reuses = free.splice(at, 1)[0] as Slot;
  }
}

/**
 * Gives temporaries shared buffers and returns their sizes. A temporary goes to a free buffer of its size or, without one, to
 * that whose size is nearest, which may have to grow; if `exactly`, only to one of its size.
 */
function shareBuffers(drafts: readonly Draft[], slots: readonly Slot[], exactly: boolean): number[] {
  const sizes: number[] = [];
  const lastUser: Slot[] = [];
  for (const slot of slots) {
    if (slot.kind !== "temporary") continue;
    let found = -1;
    lastUser.forEach((user, i) => {
      const fits = sizes[i] === slot.bytes;
      const isFree =
        (user.lastUse < slot.born && (fits || !exactly)) || (fits && mayTakeOver(drafts, user, slot));
      if (!isFree) return;
      const waste = (k: number): number => Math.abs((sizes[k] as number) - slot.bytes);
      if (found < 0 || waste(i) < waste(found)) found = i;
    });
    if (found < 0) found = sizes.push(slot.bytes) - 1;
    sizes[found] = Math.max(sizes[found] as number, slot.bytes);
    lastUser[found] = slot;
    slot.buffer = found;
  }
  return sizes;
}

/** Compiles a launch's kernel, told which of its outputs are in the buffer of an input. */
function finish(
  { name, key, kernel, inputs, outputs, sizes, params }: Draft,
  device: Backend,
): PlannedLaunch {
  const aliases = outputs.map((output) => {
    const input = inputs.findIndex((slot) => sameMemory(slot, output));
    return input < 0 ? undefined : input;
  });
  const inPlace = aliases.some((input) => input !== undefined);
  return {
    name,
    executable: executableFor(
      device,
      inPlace ? `${key} in place ${aliases.join()}` : key,
      () => (inPlace ? { ...kernel, aliases } : kernel),
      sizes,
    ),
    slots: [...inputs, ...outputs],
    sizes,
    params,
  };
}

function sameMemory(a: Slot, b: Slot): boolean {
  const [x, y] = [a.reuses ?? a, b.reuses ?? b];
  return x === y || (x.buffer !== undefined && x.buffer === y.buffer);
}
