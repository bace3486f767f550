import {
  type Aval,
  type Backend,
  type Buffer,
  bytesOf,
  castNumber,
  type DType,
  type FlatTree,
  fail,
  formatPath,
  isContiguous,
  isScalar,
  type Launch,
  type Leaf,
  type Path,
  type Scalar,
  scalar,
  sizeOf,
} from "@gradus/core";
import { copyOf } from "../copy.js";
import { type GradusTensor, stored } from "../gradus-tensor.js";
import { Storage } from "../storage.js";
import type { CallArguments } from "./call-arguments.js";
import { explainPlan } from "./explain.js";
import type { Plan, Slot } from "./plan.js";

/** Whether a tensor is all of its storage, in order: what a plan expects of an argument. */
function isWhole({ storage, layout }: Extract<GradusTensor["value"], { kind: "stored" }>): boolean {
  const bytes = sizeOf(layout.shape) * bytesOf(layout.dtype);
  return layout.offset === 0 && isContiguous(layout) && storage.buffer.bytes === bytes;
}

/** One compiled variant. */
export class Program<R> {
  private temporaries: Buffer[] | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly result: FlatTree<R>,
    private readonly device: Backend,
    /** Captured tensors with a history: while it is being recorded, the function must run as it is. */
    readonly differentiated: readonly GradusTensor[],
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
          castNumber(
            typeof p === "number" ? p : p.resolve(scalars, memo),
            launch.executable.kernel.params[i] as DType,
          ),
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
