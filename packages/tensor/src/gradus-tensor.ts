import {
  type Aval,
  type Backend,
  contiguousLayout,
  type DType,
  type Engine,
  fail,
  formatShape,
  type History,
  isTensor,
  type Layout,
  type Shape,
  sizeOf,
  type Tensor,
  tensorSymbol,
} from "@gradus/core";
import { type BatchMap, checkMapOpen } from "./batching/batch-map.js";
import type { Trace } from "./compile/trace.js";
import { elementwiseMethods } from "./elementwise.js";
import { engine } from "./engine.js";
import { methods } from "./methods.js";
import { formatTensor } from "./print.js";
import { registerInScope } from "./scope.js";
import type { Storage } from "./storage.js";

/** Where a tensor's elements are: in a storage, nowhere yet because the function is being compiled, or among others. */
export type TensorValue =
  | { readonly kind: "stored"; readonly storage: Storage; readonly layout: Layout }
  | { readonly kind: "traced"; readonly trace: Trace; readonly id: number }
  /** In a `vmap`: one example of a tensor whose axis 0 is the batch. */
  | { readonly kind: "batched"; readonly of: GradusTensor; readonly map: BatchMap };

// The fluent methods are installed on the prototype below; this tells TypeScript.
export interface GradusTensor extends Tensor {}

/** The implementation of `Tensor`. Everything that computes lives in files of its own; this holds the value. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are assigned to the prototype from tables
export class GradusTensor {
  readonly [tensorSymbol] = true;
  declare readonly shape: Shape;
  declare readonly dtype: DType;
  declare readonly size: number;
  declare history: History | undefined;
  private disposed = false;

  constructor(
    aval: Aval,
    readonly value: TensorValue,
  ) {
    this.shape = aval.shape;
    this.dtype = aval.dtype;
    this.size = sizeOf(aval.shape);
    this.history = undefined;
    if (value.kind === "stored") registerInScope(this);
  }

  get ndim(): number {
    return this.shape.length;
  }

  get device(): Backend {
    if (this.value.kind === "batched") return this.value.of.device;
    return this.value.kind === "stored" ? this.value.storage.device : this.value.trace.device;
  }

  get engine(): Engine {
    return engine;
  }

  get traced(): boolean {
    return this.value.kind !== "stored";
  }

  /** Whether the memory is gone, and to whom. */
  get gone(): "disposed" | "donated" | undefined {
    if (this.disposed) return "disposed";
    if (this.value.kind === "batched") return this.value.of.gone;
    return this.value.kind === "stored" && this.value.storage.donated ? "donated" : undefined;
  }

  dispose(): void {
    if (this.disposed || this.value.kind === "traced") return;
    this.disposed = true;
    if (this.value.kind === "batched") this.value.of.dispose();
    else this.value.storage.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return formatTensor(this);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return formatTensor(this);
  }
}

Object.assign(GradusTensor.prototype, methods, elementwiseMethods);

/** A tensor on a storage of its own or, with `layout`, a view of one. */
export function stored(aval: Aval, storage: Storage, layout: Layout = contiguousLayout(aval)): GradusTensor {
  return new GradusTensor(aval, { kind: "stored", storage, layout });
}

/** `x` as this package's tensor, alive. `op` is named in the message. */
export function asGradusTensor(op: string, x: unknown): GradusTensor {
  if (!(x instanceof GradusTensor)) {
    if (isTensor(x)) {
      fail(
        "device-mismatch",
        `${op}: the tensor comes from another copy of @gradus/tensor: use one version on a page`,
      );
    }
    fail("invalid-argument", `${op}: expected a tensor, got ${describe(x)}. Wrap it: tensor(value)`);
  }
  if (x.value.kind === "batched") checkMapOpen(op, x);
  if (x.gone !== undefined) failGone(op, x);
  return x;
}

function failGone(op: string, x: GradusTensor): never {
  const what = `${op}: the tensor ${x.dtype}${formatShape(x.shape)}`;
  if (x.gone === "donated") {
    fail(
      "donated",
      `${what} was donated to a compiled function: use that function's result instead, or do not donate it`,
    );
  }
  fail(
    "disposed",
    `${what} was disposed. Return it from the scope or transform that made it (also as an auxiliary result), or dispose it later`,
  );
}

function describe(x: unknown): string {
  if (x === null) return "null";
  if (Array.isArray(x)) return "an array";
  return typeof x === "object" ? `an object of class ${x.constructor?.name}` : `${typeof x} ${String(x)}`;
}
