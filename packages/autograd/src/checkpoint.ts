import {
  currentOperandCast,
  fail,
  flattenTree,
  isFloat,
  isTensor,
  type Level,
  mapTree,
  type Tensor,
  tensorsOf,
  withOperandCast,
} from "@gradus/core";
import { recording } from "./grad.js";
import { pullback } from "./pullback.js";

/**
 * `f` with the same values and gradients, which keeps nothing of what it computes but its result: for the gradient it runs
 * once more (rematerialisation; PyTorch's `checkpoint`, JAX's `remat`). Memory for time: a network cut into checkpointed
 * segments keeps their inputs and, while one is differentiated, what is inside of that one.
 *
 * Arguments and result are trees. Tensors that `f` closes over, such as parameters, have their gradients too. It works
 * eagerly, inside `compile` (which does compute it again), within `vmap`, at any order, and may be nested. `f` must be
 * pure; random numbers come from keys and are the same both times.
 *
 * @example
 * ```ts
 * import { checkpoint, grad } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const block = checkpoint((x: Tensor) => x.sin().exp().square());
 * console.log(grad((x: Tensor) => block(x).sum())(tensor([0]))); // → Tensor f32[1] [2]
 * ```
 */
export function checkpoint<Args extends readonly unknown[], R>(
  f: (...args: Args) => R,
): (...args: Args) => R {
  return (...args) => {
    const flat = flattenTree(args);
    const inputs = flat.leaves.filter(isTensor);
    const cast = currentOperandCast();
    const run = (tensors: readonly Tensor[]): R => {
      let next = 0;
      const again = flat.leaves.map((leaf) => (isTensor(leaf) ? (tensors[next++] as Tensor) : leaf));
      return withOperandCast(cast, () => f(...flat.rebuild(again)));
    };
    const engine = inputs[0]?.engine;
    if (engine === undefined)
      return fail("invalid-argument", "checkpoint: there is no tensor among the arguments");
    return engine.scope((): R => {
      const { result: value, captured } = engine.unrecorded(() => run(inputs.map((x) => x.detach())));
      if (typeof (value as { then?: unknown } | undefined)?.then === "function") {
        fail("async-scope", "checkpoint: the function returned a Promise: checkpoint its synchronous part");
      }
      const outputs = engine.record(
        "checkpoint",
        [...inputs, ...captured],
        tensorsOf(value),
        (cotangents, needs) =>
          engine.scope(() => {
            const level: Level = { open: true, used: false };
            const watched = inputs.map((x) => (isFloat(x.dtype) ? engine.watch(x, level) : x));
            return engine.replayed(captured, level, () => {
              const again = tensorsOf(recording(level, () => run(watched)));
              const found = pullback(again, cotangents, [...watched, ...captured]);
              return found.map((share, i) => (needs[i] === true ? share : undefined));
            });
          }),
      );
      let next = 0;
      return mapTree(value, () => outputs[next++] as Tensor);
    });
  };
}

export interface CheckpointSequenceOptions {
  /** How many functions each segment has. Default: sizes that need the least memory, n, n - 1, ... 1. */
  readonly segments?: readonly number[];
}

/**
 * The functions one after another, in checkpointed segments: PyTorch's `checkpoint_sequential`. A sequence of n functions
 * keeps about sqrt(2 n) of their results at a time instead of n, for one more forward pass.
 *
 * Segments become shorter towards the end: the last one is differentiated while the inputs of all others are kept, the
 * first one when no other is left, so it may be the longest.
 *
 * @throws `invalid-argument` for segments that do not add up to the number of functions.
 *
 * @example
 * ```ts
 * import { checkpointSequence, grad } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const layers = [1, 2, 3].map((k) => (x: Tensor) => x.mul(k).sin());
 * const network = checkpointSequence(layers);
 * console.log(grad((x: Tensor) => network(x).sum())(tensor([0]))); // → Tensor f32[1] [6]
 * ```
 */
export function checkpointSequence<X>(
  functions: readonly ((x: X) => X)[],
  options: CheckpointSequenceOptions = {},
): (x: X) => X {
  const segments = options.segments ?? fallingSizes(functions.length);
  const whole = segments.every((n) => Number.isInteger(n) && n > 0);
  if (!whole || segments.reduce((a, b) => a + b, 0) !== functions.length) {
    fail(
      "invalid-argument",
      `checkpointSequence: the segments [${segments.join(", ")}] must be whole numbers that add up to ${functions.length}, the number of functions`,
    );
  }
  let end = 0;
  const parts = segments.map((size) => {
    const own = functions.slice(end, end + size);
    end += size;
    const part = (x: X): X => own.reduce((value, f) => f(value), x);
    // The last one is differentiated at once: to compute it again would keep nothing less.
    return end === functions.length ? part : checkpoint(part);
  });
  return (x) => parts.reduce((value, part) => part(value), x);
}

/** `count` as a sum of falling numbers. */
function fallingSizes(count: number): number[] {
  const sizes: number[] = [];
  let first = Math.ceil((Math.sqrt(8 * count + 1) - 1) / 2);
  for (let left = count; left > 0; left -= sizes.at(-1) as number) sizes.push(Math.min(left, first--));
  return sizes;
}
