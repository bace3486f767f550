import {
  type Backend,
  type Buffer,
  bytesOf,
  castNumber,
  contiguousLayout,
  type DType,
  type FlatTree,
  fail,
  formatPath,
  isContiguous,
  isScalar,
  type Layout,
  type Leaf,
  type Path,
  type Scalar,
  sameShape,
  scalar,
  sizeOf,
} from "@gradus/core";
import { copyOf } from "../copy.js";
import { type GradusTensor, stored } from "../gradus-tensor.js";
import { openLevels } from "../record.js";
import { Storage } from "../storage.js";
import type { CallArguments } from "./call-arguments.js";
import { explainPlan } from "./explain.js";
import type { Plan, Slot } from "./plan.js";
import { buildTree, Leaves, matchTree, type TreeTemplate, templateOf } from "./tree-template.js";

/** A launch that every call uses again; buffers and numbers that change are put in before. */
interface BoundLaunch {
  readonly executable: Plan["launches"][number]["executable"];
  readonly buffers: Buffer[];
  readonly sizes: readonly number[];
  readonly params: number[];
}

/** One place of a buffer in a launch. */
interface Place {
  readonly buffers: Buffer[];
  readonly at: number;
}

/** A number that is computed on the host for each call. */
interface HostNumber {
  readonly params: number[];
  readonly at: number;
  readonly dtype: DType;
  readonly of: Scalar;
}

/** Numbers the calls of compiled functions. */
let calls = 0;

/** One compiled variant. Its calls make nothing but their results. */
export class Program<R> {
  private readonly device: Backend;
  private readonly leaves = new Leaves();
  private readonly argumentTemplate: TreeTemplate;
  private readonly argumentLayouts: readonly Layout[];
  private readonly argumentPaths: readonly Path[];
  private readonly isDonated: readonly boolean[];
  /** For each argument whether a result takes over its memory. */
  private readonly isTaken: readonly boolean[];
  private readonly argumentScalars: number[];
  private readonly resultTemplate: TreeTemplate;
  private readonly resultLayouts: readonly Layout[];
  private readonly resultScalars: readonly Scalar[];

  private readonly launches: BoundLaunch[];
  private readonly argumentPlaces: Place[][];
  private readonly resultPlaces: Place[][];
  private readonly temporaryPlaces: Place[][];
  private readonly numbers: HostNumber[] = [];
  private readonly memo = new Map<Scalar, number>();
  private temporaries: Buffer[] | undefined;
  /** The storages of this call. */
  private readonly storages: (Storage | undefined)[] = [];
  private readonly results: (Storage | undefined)[] = [];
  /** Copies of arguments that are views, to be disposed when the call ends. */
  private copies: GradusTensor[] = [];

  constructor(
    private readonly plan: Plan,
    result: FlatTree<R>,
    call: CallArguments,
    /** Captured tensors with a history: while it is being recorded, the function must run as it is. */
    private readonly differentiated: readonly GradusTensor[],
  ) {
    this.device = call.device;
    this.argumentTemplate = templateOf(call.flat.rebuild(call.flat.leaves));
    this.argumentLayouts = call.tensors.map(contiguousLayout);
    this.argumentPaths = call.tensorPaths;
    this.isDonated = call.tensors.map((_, i) => call.donated.has(i));
    const sources = plan.results.map(({ slot }) => (slot.kind === "argument" ? slot : slot.reuses));
    this.isTaken = call.tensors.map((_, i) => sources.some((slot) => slot?.index === i));
    this.argumentScalars = call.scalars.map(() => 0);
    this.resultTemplate = templateOf(result.rebuild(result.leaves));
    this.resultLayouts = plan.results.map(({ aval }) => contiguousLayout(aval));
    this.resultScalars = result.leaves.filter(isScalar);

    this.argumentPlaces = call.tensors.map(() => []);
    this.resultPlaces = plan.results.map(() => []);
    this.temporaryPlaces = plan.temporaries.map(() => []);
    this.launches = plan.launches.map(({ executable, slots, sizes, params }) => {
      const buffers = new Array<Buffer>(slots.length);
      slots.forEach((slot, at) => {
        this.bind(slot, { buffers, at });
      });
      const numbers = params.map((value, at) => {
        const dtype = executable.kernel.params[at] as DType;
        return typeof value === "number" ? castNumber(value, dtype) : 0;
      });
      params.forEach((of, at) => {
        const dtype = executable.kernel.params[at] as DType;
        if (typeof of !== "number") this.numbers.push({ params: numbers, at, dtype, of });
      });
      return { executable, buffers, sizes, params: numbers };
    });
  }

  /** Whether the function is to run as it is, because somebody differentiates by what it captured. */
  get isDifferentiated(): boolean {
    return this.differentiated.length > 0 && openLevels(this.differentiated).length > 0;
  }

  /** Whether the program serves these arguments; if so, they are those of the next {@link run}. */
  accepts(args: readonly unknown[]): boolean {
    const { leaves } = this;
    const fits = matchTree(this.argumentTemplate, args, leaves) && leaves.tensors.every(this.fits);
    if (!fits) leaves.clear();
    return fits;
  }

  /** Takes arguments that the program was found for. */
  take(call: CallArguments): void {
    for (const x of call.tensors) this.leaves.addTensor(x);
    for (const x of call.scalars) this.leaves.addScalar(x);
  }

  forget(): void {
    this.leaves.clear();
  }

  run(): R {
    try {
      this.bindArguments();
      this.bindResults();
      this.resolveNumbers();
      this.execute();
      this.spendDonated();
      return this.wrap();
    } finally {
      this.endCall();
    }
  }

  /** Has the device compile ahead what a call runs. */
  async prepare(onProgress?: (done: number, total: number) => void): Promise<void> {
    const uses = this.plan.launches.map(({ executable, sizes }) => ({
      kernel: executable.kernel,
      expected: sizes,
    }));
    // Elsewhere they are compiled since they were recorded.
    if (this.device.prepare === undefined) onProgress?.(uses.length, uses.length);
    else await this.device.prepare(uses, onProgress);
  }

  explain(): string {
    return explainPlan(this.plan, this.device);
  }

  dispose(): void {
    for (const buffer of this.temporaries ?? []) this.device.free(buffer);
    this.temporaries = undefined;
    for (const storage of this.plan.captured) storage.release();
  }

  private bind(slot: Slot, place: Place): void {
    switch (slot.kind) {
      case "argument":
        this.argumentPlaces[slot.index]?.push(place);
        return;
      case "result":
        this.resultPlaces[slot.index]?.push(place);
        return;
      case "temporary":
        this.temporaryPlaces[slot.buffer as number]?.push(place);
        return;
      case "captured":
        place.buffers[place.at] = (slot.storage as Storage).buffer;
        return;
      default:
        slot.kind satisfies never;
    }
  }

  /** Whether an argument is alive, of the kind that the program was made for, and nobody differentiates by it. */
  private readonly fits = (x: GradusTensor | undefined, i: number): boolean => {
    if (x === undefined || x.value.kind !== "stored" || x.gone !== undefined || x.device !== this.device)
      return false;
    const expected = this.argumentLayouts[i] as Layout;
    if (x.dtype !== expected.dtype || !sameShape(x.shape, expected.shape)) return false;
    return x.history === undefined || openLevels([x]).length === 0;
  };

  private bindArguments(): void {
    const { storages } = this;
    calls++;
    for (let i = 0; i < this.argumentLayouts.length; i++) {
      const x = this.leaves.tensors[i] as GradusTensor;
      const isShared = this.checkDonation(i, storageOf(x));
      storages[i] = isShared || !isWhole(x) ? this.copied(x) : storageOf(x);
    }
    for (let i = 0; i < storages.length; i++) fill(this.argumentPlaces[i], (storages[i] as Storage).buffer);
  }

  /** Refuses to donate memory that lives on. Returns whether the argument shares its memory with another donated one. */
  private checkDonation(i: number, storage: Storage): boolean {
    const isDonated = this.isDonated[i] as boolean;
    if (isDonated && this.plan.captured.has(storage)) {
      fail(
        "donated",
        `compile: argument ${formatPath(this.argumentPaths[i] as Path)} is donated, but the function has captured a tensor ` +
          "that shares its memory. Donate a copy",
      );
    }
    const before = storage.lastCall === calls ? storage.lastArgument : -1;
    storage.lastCall = calls;
    storage.lastArgument = i;
    if (before < 0) return false;
    const wasDonated = this.isDonated[before] as boolean;
    if (isDonated && wasDonated) return true;
    if (isDonated || wasDonated) {
      const [a, b] = [before, i].map((n) => formatPath(this.argumentPaths[n] as Path));
      fail(
        "donated",
        `compile: arguments ${a} and ${b} share memory, and one of them is donated. Pass a copy of one`,
      );
    }
    return false;
  }

  /** The storage of a copy that is dense and its own. */
  private copied(x: GradusTensor): Storage {
    const copy = copyOf(x);
    this.copies.push(copy);
    return storageOf(copy);
  }

  private bindResults(): void {
    const { device, plan, results } = this;
    if (this.temporaries === undefined) {
      this.temporaries = plan.temporaries.map((bytes) => device.alloc(bytes));
      this.temporaries.forEach((buffer, i) => {
        device.keep?.(buffer);
        fill(this.temporaryPlaces[i], buffer);
      });
    }
    for (let k = 0; k < plan.results.length; k++) {
      const storage = this.resultStorage((plan.results[k] as Plan["results"][number]).slot);
      results[k] = storage;
      fill(this.resultPlaces[k], storage.buffer);
    }
  }

  private resultStorage(slot: Slot): Storage {
    if (slot.kind === "captured") return (slot.storage as Storage).retain();
    const reused = slot.kind === "argument" ? slot : slot.reuses;
    if (reused === undefined) return new Storage(this.device, this.device.alloc(slot.bytes));
    const storage = this.storages[reused.index] as Storage;
    if (!(this.isDonated[reused.index] as boolean)) return storage.retain();
    // A donated buffer moves to a storage of its own: the old one's tensors are dead, the buffer is not.
    this.device.keep?.(storage.buffer);
    return new Storage(this.device, storage.buffer);
  }

  private resolveNumbers(): void {
    const { argumentScalars, memo } = this;
    for (let i = 0; i < argumentScalars.length; i++) {
      argumentScalars[i] = (this.leaves.scalars[i] as Scalar).value;
    }
    for (const { params, at, dtype, of } of this.numbers) {
      params[at] = castNumber(of.resolve(argumentScalars, memo), dtype);
    }
  }

  private execute(): void {
    if (this.launches.length === 0) return;
    try {
      this.device.run(this.launches);
    } catch (error) {
      // The arguments live on, donated or not; what was made for this call does not.
      this.plan.results.forEach(({ slot }, k) => {
        if (slot.kind === "result" && slot.reuses === undefined) this.results[k]?.release();
      });
      throw error;
    }
  }

  /** Donated arguments are dead from now on; memory that no result took over is given back. */
  private spendDonated(): void {
    for (const copy of this.copies) {
      const storage = storageOf(copy);
      const i = this.storages.indexOf(storage);
      // The buffer went to a result's own storage.
      if ((this.isDonated[i] as boolean) && (this.isTaken[i] as boolean)) storage.donated = true;
    }
    for (let i = 0; i < this.isDonated.length; i++) {
      if (!(this.isDonated[i] as boolean)) continue;
      const own = storageOf(this.leaves.tensors[i] as GradusTensor);
      if (own.donated) continue;
      own.donated = true;
      const isMoved = own === this.storages[i] && (this.isTaken[i] as boolean);
      if (!isMoved) this.device.free(own.buffer);
    }
  }

  private wrap(): R {
    const { argumentScalars, memo } = this;
    let tensors = 0;
    let scalars = 0;
    return buildTree(this.resultTemplate, (kind): Leaf => {
      if (kind === "scalar") {
        return scalar((this.resultScalars[scalars++] as Scalar).resolve(argumentScalars, memo));
      }
      const layout = this.resultLayouts[tensors] as Layout;
      return stored(layout, this.results[tensors++] as Storage, layout);
    }) as R;
  }

  /** Holds nothing of the call any longer. */
  private endCall(): void {
    for (const copy of this.copies) copy.dispose();
    if (this.copies.length > 0) this.copies = [];
    this.memo.clear();
    this.leaves.clear();
    this.storages.fill(undefined);
    this.results.fill(undefined);
  }
}

function storageOf(x: GradusTensor): Storage {
  return (x.value as Extract<GradusTensor["value"], { kind: "stored" }>).storage;
}

/** Whether a tensor is all of its storage, in order: what a plan expects of an argument. */
function isWhole(x: GradusTensor): boolean {
  const { storage, layout } = x.value as Extract<GradusTensor["value"], { kind: "stored" }>;
  const bytes = sizeOf(layout.shape) * bytesOf(layout.dtype);
  return layout.offset === 0 && storage.buffer.bytes === bytes && isContiguous(layout);
}

function fill(places: readonly Place[] | undefined, buffer: Buffer): void {
  if (places === undefined) return;
  for (const { buffers, at } of places) buffers[at] = buffer;
}
