import type { DType, TypedArray } from "../dtype.js";

/** In which precision f32 expressions are computed. */
export type Precision = "float64" | "float32";

/**
 * How many elements an instruction computes at a time: enough that its overhead vanishes, few enough that the
 * registers of a kernel stay in the first-level cache.
 */
export const CHUNK = 512;

/** Where the value of an expression is kept. Element i of the run is `data[i * step]`. */
export interface Register {
  readonly data: TypedArray;
  /** 1 if the value varies along the run, 0 if it is one number for all of it. */
  readonly step: 0 | 1;
}

type Kind = "f64" | "f32" | "i32";

/**
 * A Float32Array rounds what is stored into it, so float32 precision costs nothing but the choice of the array.
 */
function kindOf(dtype: DType, precision: Precision): Kind {
  if (dtype === "i32" || dtype === "bool") return "i32";
  return dtype === "f32" && precision === "float32" ? "f32" : "f64";
}

const arrayOf = { f64: Float64Array, f32: Float32Array, i32: Int32Array } as const;

/** A register of its own for one number. */
export function scalarRegister(dtype: DType, precision: Precision, value = 0): Register {
  const data = new arrayOf[kindOf(dtype, precision)](1);
  data[0] = value;
  return { data, step: 0 };
}

/**
 * The chunk-long registers of all kernels of one interpreter. Launches run one after another and nothing in them
 * outlives a launch, so every kernel uses the same few arrays, and they stay in the cache.
 */
export class RegisterPool {
  private readonly arrays: Record<Kind, TypedArray[]> = { f64: [], f32: [], i32: [] };
  private readonly panels = new Map<string, Float64Array | Int32Array>();

  constructor(readonly precision: Precision) {}

  /** The `index`-th array of a kind. */
  at(kind: Kind, index: number): TypedArray {
    const list = this.arrays[kind];
    while (list.length <= index) list.push(new arrayOf[kind](CHUNK));
    return list[index] as TypedArray;
  }

  /** Scratch memory of at least `length` numbers; what a slot held before is lost when it has to grow. */
  scratch(slot: "a" | "b" | "sums", isInteger: boolean, length: number): Float64Array | Int32Array {
    const key = `${slot}${isInteger}`;
    const known = this.panels.get(key);
    if (known !== undefined && known.length >= length) return known;
    const made = isInteger ? new Int32Array(length) : new Float64Array(length);
    this.panels.set(key, made);
    return made;
  }
}

/** Hands out the arrays of a {@link RegisterPool} while a kernel is compiled; what is given back is used again. */
export class RegisterAllocator {
  private readonly next: Record<Kind, number>;
  private readonly unused: Record<Kind, TypedArray[]> = { f64: [], f32: [], i32: [] };

  /** An allocator that uses none of the arrays that `below` handed out so far. */
  constructor(
    readonly pool: RegisterPool,
    below?: RegisterAllocator,
  ) {
    this.next = below === undefined ? { f64: 0, f32: 0, i32: 0 } : { ...below.next };
  }

  take(dtype: DType): Register {
    const kind = kindOf(dtype, this.pool.precision);
    const data = this.unused[kind].pop() ?? this.pool.at(kind, this.next[kind]++);
    return { data, step: 1 };
  }

  giveBack(dtype: DType, register: Register): void {
    this.unused[kindOf(dtype, this.pool.precision)].push(register.data);
  }
}
