import {
  type Engine,
  isTensor,
  type MaybePromise,
  type OpenScope,
  type Tensor,
  type TypedArray,
} from "@gradus/core";

/**
 * A computation that at times must know the value of a tensor: a line search, a test of convergence. It is written
 * once, as a generator that yields the tensors it wants to read, and is run at once where the device can be read without
 * waiting, and awaited where it cannot.
 */
export type Reading<T> = Generator<Tensor | Release, T, TypedArray>;

/** Yielded to give memory back: of all that the computation made, only the tensors of this tree are still needed. */
export interface Release {
  readonly except: unknown;
}

/** The elements of a tensor, as float64. */
export function* numbersOf(x: Tensor): Reading<Float64Array> {
  return Float64Array.from(yield x);
}

/** Several tensors of one element each, read at once. */
export function* readAll<const Scalars extends readonly Tensor[]>(
  scalars: Scalars,
): Reading<{ readonly [Index in keyof Scalars]: number }> {
  const [first, ...rest] = scalars.map((x) => x.reshape([1])) as [Tensor, ...Tensor[]];
  const numbers = yield* numbersOf(rest.length === 0 ? first : first.engine.concat([first, ...rest]));
  return [...numbers] as unknown as { readonly [Index in keyof Scalars]: number };
}

/** Frees what the computation made so far, except the tensors of `tree`. */
export function* releaseExcept(tree: unknown): Reading<void> {
  yield { except: tree };
}

/** Runs a computation to its end; what it made is freed, except the tensors of its result. */
export function complete<T>(engine: Engine, reading: Reading<T>): MaybePromise<T> {
  const scope = engine.openScope();
  let result: MaybePromise<T>;
  try {
    result = advance(scope, reading, undefined);
  } catch (error) {
    scope.dispose();
    throw error;
  }
  if (result instanceof Promise) {
    return result.then(
      (value) => finish(scope, value),
      (error) => {
        scope.dispose();
        throw error;
      },
    );
  }
  return finish(scope, result);
}

function finish<T>(scope: OpenScope, result: T): T {
  scope.keep(result);
  scope.dispose();
  return result;
}

function advance<T>(scope: OpenScope, reading: Reading<T>, answer: TypedArray | undefined): MaybePromise<T> {
  let known = answer;
  for (;;) {
    // The first answer is ignored, as generators have it.
    const { done, value } = scope.run(() => reading.next(known as TypedArray));
    if (done) return value;
    if (!isTensor(value)) {
      scope.dispose(value.except);
      known = undefined;
    } else if (value.device.readSync !== undefined) {
      known = value.data();
    } else {
      return value.read().then((data) => advance(scope, reading, data));
    }
  }
}
