import {
  type Aval,
  currentObserver,
  currentOperandCast,
  type FlatTree,
  fail,
  flattenTree,
  isScalar,
  isTensor,
  type Leaf,
  type OperandCast,
  scalarInput,
} from "@gradus/core";
import { mapDepth } from "../batching/batch-map.js";
import { asGradusTensor, type GradusTensor } from "../gradus-tensor.js";
import { openLevels } from "../record.js";
import { isPromise, scope } from "../scope.js";
import { CallArguments } from "./call-arguments.js";
import { planTrace } from "./plan.js";
import { Program } from "./program.js";
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
  /**
   * Records the variant for these arguments without running it, and has the device compile its kernels ahead of the first call,
   * in parallel where it can; `onProgress` is told how many of them are done. The arguments stay as they are, donated or not.
   */
  prepare(args: Args, onProgress?: (done: number, total: number) => void): Promise<void>;
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
 * Called within `vmap`, or while being compiled or differentiated (by an argument or by what it reads from outside, a `variable` for one),
 * the function simply runs as part of the whole.
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
  let latestCast: OperandCast | undefined;

  function programFor(call: CallArguments): Program<R> {
    const key = `${currentOperandCast() === undefined ? "" : "cast "}${call.key}`;
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
    latestCast = currentOperandCast();
    return program;
  }

  const compiled = (...args: Args): R => {
    if (currentTrace() !== undefined || currentObserver() !== undefined || mapDepth() > 0) return f(...args);
    // Mostly it is called as it was before. That is seen without taking the arguments apart.
    let program = latest;
    if (program === undefined || latestCast !== currentOperandCast() || !program.accepts(args)) {
      const call = new CallArguments(args, donate);
      if (openLevels(call.tensors).length > 0) return f(...args);
      program = programFor(call);
      program.take(call);
    }
    if (program.isDifferentiated) {
      program.forget();
      return f(...args);
    }
    return program.run();
  };
  return Object.assign(compiled, {
    explain: (...args: Args | []): string => {
      const program = args.length > 0 ? programFor(new CallArguments(args, donate)) : latest;
      return program === undefined
        ? "compile: not called yet, so nothing is compiled. Call it, or pass arguments to explain()."
        : program.explain();
    },
    prepare: async (args: Args, onProgress?: (done: number, total: number) => void): Promise<void> => {
      await programFor(new CallArguments(args, donate)).prepare(onProgress);
    },
    dispose: () => {
      for (const program of programs.values()) program.dispose();
      programs.clear();
      latest = undefined;
    },
  });
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
    return new Program(plan, flat, call, trace.differentiated());
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
