import { fail } from "./errors.js";

const SCALAR = Symbol.for("gradus.scalar");

/**
 * A number that the host knows at run time: a step count, a learning rate.
 *
 * Inside `compile` a plain number is a constant of the trace. A `Scalar` is not: it is computed on the host in
 * float64 on every call and handed to the kernels as a parameter, so that a schedule neither reads the device nor
 * compiles anything again. In a tree it is a leaf of its own, and a checkpoint stores it exactly.
 *
 * @example
 * ```ts
 * import { scalar } from "@gradus/core";
 * const step = scalar(2);
 * const rate = step.map((t) => 0.1 / (1 + t));
 * rate.value; // → 0.0333
 * ```
 */
export class Scalar {
  readonly [SCALAR] = true;
  constructor(private readonly source: ScalarSource) {}

  /** The number. Throws `value-in-trace` inside `compile`, where there is none yet: use {@link map}. */
  get value(): number {
    if (this.source.kind === "value") return this.source.value;
    return fail(
      "value-in-trace",
      "scalar.value: inside compile() a Scalar has no value yet; use scalar.map(f) instead",
    );
  }

  /** `f(value)` as a new Scalar. `f` must be pure: inside `compile` it runs on every call. */
  map(f: (value: number) => number): Scalar {
    return combineScalars([this], f);
  }

  /** The number, given what the inputs of the trace are on this call. Results are kept in `memo` for the call. */
  resolve(inputs: readonly number[], memo: Map<Scalar, number> = new Map()): number {
    const { source } = this;
    if (source.kind === "value") return source.value;
    if (source.kind === "input") return inputs[source.index] as number;
    const known = memo.get(this);
    if (known !== undefined) return known;
    const { of, f } = source;
    const value =
      of.length === 1
        ? f((of[0] as Scalar).resolve(inputs, memo))
        : f(...of.map((scalar) => scalar.resolve(inputs, memo)));
    memo.set(this, value);
    return value;
  }

  get isSymbolic(): boolean {
    return this.source.kind !== "value";
  }

  toString(): string {
    return this.isSymbolic ? "Scalar(traced)" : `Scalar(${this.value})`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

type ScalarSource =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "map"; readonly of: readonly Scalar[]; readonly f: (...values: number[]) => number };

/** A {@link Scalar} of a known value. */
export function scalar(value: number): Scalar {
  if (typeof value !== "number") fail("invalid-argument", `scalar: expected a number, got ${typeof value}`);
  return new Scalar({ kind: "value", value });
}

/** The `index`-th scalar argument of the function being compiled. For implementations of `compile`. */
export function scalarInput(index: number): Scalar {
  return new Scalar({ kind: "input", index });
}

/** `f` of several scalars, as a Scalar. */
export function combineScalars(of: readonly Scalar[], f: (...values: number[]) => number): Scalar {
  if (of.every((one) => !one.isSymbolic)) return scalar(f(...of.map((one) => one.value)));
  return new Scalar({ kind: "map", of, f });
}

/** Whether `x` is a Scalar, of this copy of the package or another. */
export function isScalar(x: unknown): x is Scalar {
  return typeof x === "object" && x !== null && SCALAR in x;
}
