import type { Aval, Backend, Op } from "@gradus/core";
import { fail } from "@gradus/core";
import { GradusTensor } from "../gradus-tensor.js";
import type { Storage } from "../storage.js";

/** A value of a function being compiled. */
export type Source =
  /** The `index`-th tensor argument. */
  | { readonly kind: "argument"; readonly aval: Aval; readonly index: number }
  /** A tensor that existed before: the function closes over it. */
  | { readonly kind: "captured"; readonly aval: Aval; readonly tensor: GradusTensor }
  | { readonly kind: "computed"; readonly aval: Aval; readonly call: Call; readonly output: number };

/** One operation of the function, on values numbered by the trace. */
export interface Call {
  readonly op: Op<unknown>;
  readonly inputs: readonly number[];
  readonly attrs: unknown;
  readonly outputs: readonly number[];
  /**
   * Calls of different regions must not be merged, even if they compute the same: what a checkpoint computes again is there
   * so that its first result need not be kept.
   */
  readonly region: number;
}

/** The operations of a function, in the order in which it called them. */
export class Trace {
  readonly values: Source[] = [];
  readonly calls: Call[] = [];
  private readonly captured = new Map<GradusTensor, number>();
  /** The memory of captured tensors, each of it retained once. */
  private readonly held = new Set<Storage>();

  constructor(readonly device: Backend) {}

  /** The tensor that stands for the `index`-th argument. */
  argument(aval: Aval, index: number): GradusTensor {
    return this.tensor(this.add({ kind: "argument", aval, index }));
  }

  append<A>(op: Op<A>, inputs: readonly GradusTensor[], attrs: A, avals: readonly Aval[]): GradusTensor[] {
    const numbered = inputs.map((x) => this.idOf(op.label?.(attrs) ?? op.name, x));
    const first = this.values.length;
    const call: Call = {
      op: op as Op<unknown>,
      inputs: numbered,
      attrs,
      outputs: avals.map((_, k) => first + k),
      region: currentRegion,
    };
    const outputs = avals.map((aval, output) => this.add({ kind: "computed", aval, call, output }));
    this.calls.push(call);
    return outputs.map((id) => this.tensor(id));
  }

  /** The number of a tensor's value; a tensor from outside is captured. */
  idOf(op: string, x: GradusTensor): number {
    if (x.value.kind === "traced") {
      if (x.value.trace !== this) {
        fail(
          "value-in-trace",
          `${op}: a tensor of another compiled function leaked into this one. Pass it as an argument`,
        );
      }
      return x.value.id;
    }
    if (x.value.kind === "batched") {
      return fail("value-in-trace", `${op}: an example of a vmap() leaked into a compiled function`);
    }
    const known = this.captured.get(x);
    if (known !== undefined) return known;
    if (x.device !== this.device) {
      fail(
        "device-mismatch",
        `${op}: the function runs on ${this.device.name}, but a tensor that it captures is on another device, ${x.device.name}. Move it: await x.to(device)`,
      );
    }
    // The tensor may be disposed before the function is planned, or later: its memory must outlive it.
    const { storage } = x.value;
    if (!this.held.has(storage)) this.held.add(storage.retain());
    const id = this.add({ kind: "captured", aval: x, tensor: x });
    this.captured.set(x, id);
    return id;
  }

  /** Captured tensors that somebody may want to differentiate by. */
  differentiated(): GradusTensor[] {
    return [...this.captured.keys()].filter((x) => x.history !== undefined);
  }

  /** Gives captured memory back, except what the plan uses. */
  release(used: ReadonlySet<Storage> = new Set()): void {
    for (const storage of this.held) if (!used.has(storage)) storage.release();
  }

  private add(source: Source): number {
    this.values.push(source);
    return this.values.length - 1;
  }

  private tensor(id: number): GradusTensor {
    const { aval } = this.values[id] as Source;
    return new GradusTensor(aval, { kind: "traced", trace: this, id });
  }
}

let current: Trace | undefined;

/** The function being compiled, if one is: operations append to it instead of running. */
export function currentTrace(): Trace | undefined {
  return current;
}

/** Runs `f` with every operation appended to `trace`. */
export function tracing<T>(trace: Trace, f: () => T): T {
  const outer = current;
  current = trace;
  try {
    return f();
  } finally {
    current = outer;
  }
}

let currentRegion = 0;
let regions = 0;

/** Runs `f` with its calls in a region of their own; see {@link Call}. */
export function inOwnRegion<T>(f: () => T): T {
  const outer = currentRegion;
  currentRegion = ++regions;
  try {
    return f();
  } finally {
    currentRegion = outer;
  }
}
