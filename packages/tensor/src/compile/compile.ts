import {
  type Aval,
  type Backend,
  type Buffer,
  bytesOf,
  castNumber,
  type DType,
  type FlatTree,
  fail,
  flattenTree,
  formatPath,
  isContiguous,
  isScalar,
  isTensor,
  type Launch,
  type Leaf,
  type Path,
  type Scalar,
  scalar,
  scalarInput,
  sizeOf,
} from "@gradus/core";
import { openLevels } from "../apply.js";
import { copyOf } from "../copy.js";
import { defaultDevice } from "../device.js";
import { asGradusTensor, type GradusTensor, stored } from "../gradus-tensor.js";
import { isPromise, scope } from "../scope.js";
import { Storage } from "../storage.js";
import { explainPlan } from "./explain.js";
import { type Plan, planTrace, type Slot } from "./plan.js";
import { currentTrace, Trace, tracing } from "./trace.js";

export interface CompileOptions {
  /**
   * Which arguments, by position, hand their memory over: the function may write its results there, and their tensors
   * throw `donated` afterwards. For parameters and state that each call replaces.
   */
  readonly donate?: readonly number[];
}

export interface Compiled<Args extends readonly unknown[], R> {
  (...args: Args): R;
  /** What a call runs, as text: kernels, sizes, memory. Without arguments, of the latest call. */
  explain(...args: Args | []): string;
  /** Gives the memory of all compiled variants back; the function may still be called. */
  dispose(): void;
}

/** Variants of one function (shapes, constants) that are kept. */
const MAX_PROGRAMS = 64;

/**
 * `f`, recorded once per kind of arguments and then replayed: no JavaScript of `f` runs again, memory is planned, and a
 * call is one `run` of the device.
 *
 * Arguments and results are trees. Tensors and Scalars may change from call to call; anything else (numbers, strings,
 * the structure) is part of the variant, and another value records another variant. What `f` reads from outside is
 * fixed when it is recorded: tensors as they are, numbers as constants. `f` must be pure and synchronous, and cannot look
 * at values: `item()`, `data()` and printing of elements throw `value-in-trace`.
 *
 * Called while being compiled or differentiated, the function simply runs as part of the whole.
 *
 * @example
 * ```ts
 * import { compile, type Tensor, tensor } from "@gradus/tensor";
 * const f = compile((x: Tensor, y: Tensor) => x.mul(y).sum());
 * f(tensor([1, 2]), tensor([3, 4])).item(); // → 11
 * ```
 */
export function compile<Args extends readonly unknown[], R>(
  f: (...args: Args) => R extends PromiseLike<unknown> ? never : R,
  options: CompileOptions = {},
): Compiled<Args, R> {
  if (typeof f !== "function") fail("invalid-argument", `compile: expected a function, got ${typeof f}`);
  const programs = new Map<string, Program<R>>();
  const donate = new Set(options.donate ?? []);
  for (const i of donate) {
    if (!Number.isInteger(i) || i < 0) {
      fail(
        "invalid-argument",
        `compile: donate lists argument positions (0, 1, ...), got ${JSON.stringify(i)}`,
      );
    }
  }
  let latest: Program<R> | undefined;

  function programFor(call: CallArguments): Program<R> {
    const key = call.key;
    let program = programs.get(key);
    if (program === undefined) {
      program = record(f as (...args: readonly unknown[]) => R, call);
    } else {
      programs.delete(key);
    }
    programs.set(key, program);
    if (programs.size > MAX_PROGRAMS) {
      const [oldest, forgotten] = programs.entries().next().value as [string, Program<R>];
      forgotten.dispose();
      programs.delete(oldest);
    }
    latest = program;
    return program;
  }

  const compiled = (...args: Args): R => {
    const call = new CallArguments(args, donate);
    if (currentTrace() !== undefined || openLevels(call.tensors).length > 0) return f(...args);
    return programFor(call).run(call);
  };
  return Object.assign(compiled, {
    explain: (...args: Args | []): string => {
      const program = args.length > 0 ? programFor(new CallArguments(args, donate)) : latest;
      return program === undefined
        ? "compile: not called yet, so nothing is compiled. Call it, or pass arguments to explain()."
        : program.explain();
    },
    dispose: () => {
      for (const program of programs.values()) program.dispose();
      programs.clear();
      latest = undefined;
    },
  });
}

/** The arguments of one call, taken apart. */
class CallArguments {
  readonly flat: FlatTree<readonly unknown[]>;
  readonly tensors: GradusTensor[] = [];
  readonly tensorPaths: Path[] = [];
  readonly scalars: Scalar[] = [];
  readonly device: Backend;
  /** Positions among `tensors` of those that are donated. */
  readonly donated = new Set<number>();

  constructor(args: readonly unknown[], donate: ReadonlySet<number>) {
    this.flat = flattenTree(args);
    this.flat.leaves.forEach((leaf, i) => {
      if (isScalar(leaf)) {
        this.scalars.push(leaf);
        return;
      }
      const path = this.flat.paths[i] as Path;
      if (donate.has(Number(path[0]))) this.donated.add(this.tensors.length);
      this.tensors.push(asGradusTensor(`compile: argument ${formatPath(path)}`, leaf));
      this.tensorPaths.push(path);
    });
    this.device = this.tensors[0]?.device ?? defaultDevice();
    for (const x of this.tensors) {
      if (x.device !== this.device) {
        fail(
          "device-mismatch",
          `compile: arguments on ${this.device.name} and ${x.device.name}. Move one: await x.to(device)`,
        );
      }
    }
  }

  /** Equal for calls that one program serves. */
  get key(): string {
    const avals = this.tensors.map((x) => `${x.dtype}${x.shape.join("x")}`).join();
    return `${deviceId(this.device)} ${this.flat.structure} ${avals}`;
  }
}

const deviceIds = new WeakMap<Backend, number>();
let nextDeviceId = 0;
function deviceId(device: Backend): number {
  let id = deviceIds.get(device);
  if (id === undefined) {
    id = nextDeviceId++;
    deviceIds.set(device, id);
  }
  return id;
}

/** Runs `f` on stand-ins for the arguments and plans what it did. */
function record<R>(f: (...args: readonly unknown[]) => R, call: CallArguments): Program<R> {
  const trace = new Trace(call.device);
  let tensors = 0;
  let scalars = 0;
  const standIns = call.flat.leaves.map((leaf): Leaf => {
    if (isScalar(leaf)) return scalarInput(scalars++);
    return trace.argument(avalOf(leaf as GradusTensor), tensors++);
  });
  const run = (): unknown => {
    const result = f(...call.flat.rebuild(standIns));
    if (!isPromise(result)) return result;
    return fail(
      "async-scope",
      "compile: the function returned a Promise. Compile the synchronous part, and await outside of it",
    );
  };
  try {
    // A scope without a result: constants that `f` makes, even those that it returns, are kept by the trace alone.
    const { flat, ids } = recordIn(trace, run as () => R);
    const plan = planTrace(trace, ids, call.device, call.donated);
    trace.release(plan.captured);
    return new Program(plan, flat, call.device);
  } catch (error) {
    trace.release();
    throw error;
  }
}

/** Runs `f` in the trace: the tree of its result, and the number of each tensor in it. */
function recordIn<R>(trace: Trace, f: () => R): { flat: FlatTree<R>; ids: number[] } {
  let recorded: { flat: FlatTree<R>; ids: number[] } | undefined;
  scope(() => {
    const flat = flattenTree(tracing(trace, f));
    const tensors = flat.leaves.filter(isTensor);
    recorded = { flat, ids: tensors.map((x) => trace.idOf("compile", asGradusTensor("compile: result", x))) };
  });
  return recorded as { flat: FlatTree<R>; ids: number[] };
}

function avalOf(x: GradusTensor): Aval {
  return { shape: x.shape, dtype: x.dtype };
}

/** Whether a tensor is all of its storage, in order: what a plan expects of an argument. */
function isWhole({ storage, layout }: Extract<GradusTensor["value"], { kind: "stored" }>): boolean {
  const bytes = sizeOf(layout.shape) * bytesOf(layout.dtype);
  return layout.offset === 0 && isContiguous(layout) && storage.buffer.bytes === bytes;
}

/** One compiled variant. */
class Program<R> {
  private temporaries: Buffer[] | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly result: FlatTree<R>,
    private readonly device: Backend,
  ) {}

  run(call: CallArguments): R {
    const shared = this.checkDonation(call);
    const { plan, device } = this;
    this.temporaries ??= plan.temporaries.map((bytes) => device.alloc(bytes));
    const copies: GradusTensor[] = [];
    const argumentStorages = call.tensors.map((x, i) => this.denseStorage(x, shared.has(i), copies));
    const results = plan.results.map(({ slot }) => this.resultStorage(slot, argumentStorages, call));
    const storages = { arguments: argumentStorages, results, temporaries: this.temporaries };
    const scalars = call.scalars.map((s) => s.value);
    const memo = new Map<Scalar, number>();
    const launches = plan.launches.map(
      (launch): Launch => ({
        executable: launch.executable,
        buffers: launch.slots.map((slot) => this.bufferOf(slot, storages)),
        sizes: launch.sizes,
        params: launch.params.map((p, i) =>
          typeof p === "number"
            ? p
            : castNumber(p.resolve(scalars, memo), launch.executable.kernel.params[i] as DType),
        ),
      }),
    );
    try {
      if (launches.length > 0) device.run(launches);
    } catch (error) {
      // The arguments live on, donated or not; what was made for this call does not.
      plan.results.forEach(({ slot }, k) => {
        if (slot.kind === "result" && slot.reuses === undefined) results[k]?.release();
      });
      for (const copy of copies) copy.dispose();
      throw error;
    }
    this.spendDonated(call, results, copies);
    return this.wrap(results, scalars, memo);
  }

  explain(): string {
    return explainPlan(this.plan, this.device);
  }

  dispose(): void {
    for (const buffer of this.temporaries ?? []) this.device.free(buffer);
    this.temporaries = undefined;
    for (const storage of this.plan.captured) storage.release();
  }

  /** Refuses to donate memory that lives on; returns the arguments that share theirs with another donated one. */
  private checkDonation(call: CallArguments): Set<number> {
    const shared = new Set<number>();
    const seen = new Map<Storage, number>();
    call.tensors.forEach((x, i) => {
      const storage = (x.value as { storage: Storage }).storage;
      if (call.donated.has(i) && this.plan.captured.has(storage)) {
        fail(
          "donated",
          `compile: argument ${formatPath(call.tensorPaths[i] as Path)} is donated, but the function has captured a tensor ` +
            "that shares its memory. Donate a copy",
        );
      }
      const before = seen.get(storage);
      if (before === undefined) {
        seen.set(storage, i);
      } else if (call.donated.has(i) && call.donated.has(before)) {
        shared.add(i);
      } else if (call.donated.has(i) || call.donated.has(before)) {
        const [a, b] = [before, i].map((k) => formatPath(call.tensorPaths[k] as Path));
        fail(
          "donated",
          `compile: arguments ${a} and ${b} share memory, and one of them is donated. Pass a copy of one`,
        );
      }
    });
    return shared;
  }

  /** An argument's storage, dense and its own: views are copied. */
  private denseStorage(x: GradusTensor, isShared: boolean, copies: GradusTensor[]): Storage {
    const value = x.value as Extract<GradusTensor["value"], { kind: "stored" }>;
    if (!isShared && isWhole(value)) return value.storage;
    const copy = copyOf(x);
    copies.push(copy);
    return (copy.value as typeof value).storage;
  }

  private resultStorage(slot: Slot, args: readonly Storage[], call: CallArguments): Storage {
    if (slot.kind === "captured") return (slot.storage as Storage).retain();
    const reused = slot.kind === "argument" ? slot : slot.reuses;
    if (reused !== undefined) {
      const storage = args[reused.index] as Storage;
      // A donated buffer moves to a storage of its own: the old one's tensors are dead, the buffer is not.
      return call.donated.has(reused.index) ? new Storage(this.device, storage.buffer) : storage.retain();
    }
    return new Storage(this.device, this.device.alloc(slot.bytes));
  }

  private bufferOf(slot: Slot, storages: SlotStorages): Buffer {
    switch (slot.kind) {
      case "argument":
        return (storages.arguments[slot.index] as Storage).buffer;
      case "captured":
        return (slot.storage as Storage).buffer;
      case "result":
        return (storages.results[slot.index] as Storage).buffer;
      case "temporary":
        return storages.temporaries[slot.buffer as number] as Buffer;
      default:
        return slot.kind satisfies never;
    }
  }

  /** Donated arguments are dead from now on; memory that no result took over is given back. */
  private spendDonated(
    call: CallArguments,
    results: readonly Storage[],
    copies: readonly GradusTensor[],
  ): void {
    const taken = new Set(results.map((storage) => storage.buffer));
    for (const copy of copies) {
      const { storage } = copy.value as { storage: Storage };
      // The buffer went to a result's own storage. Where the result shares this storage, it is kept by its references.
      const moved = results.some((result) => result !== storage && result.buffer === storage.buffer);
      if (moved) storage.donated = true;
      copy.dispose();
    }
    for (const i of call.donated) {
      const { storage } = (call.tensors[i] as GradusTensor).value as { storage: Storage };
      if (storage.donated) continue;
      storage.donated = true;
      if (!taken.has(storage.buffer)) this.device.free(storage.buffer);
    }
  }

  private wrap(results: readonly Storage[], scalars: readonly number[], memo: Map<Scalar, number>): R {
    let next = 0;
    return this.result.rebuild(
      this.result.leaves.map((leaf): Leaf => {
        if (isScalar(leaf)) return scalar(leaf.resolve(scalars, memo));
        const k = next++;
        return stored(this.plan.results[k]?.aval as Aval, results[k] as Storage);
      }),
    );
  }
}

interface SlotStorages {
  readonly arguments: readonly Storage[];
  readonly results: readonly Storage[];
  readonly temporaries: readonly Buffer[];
}
