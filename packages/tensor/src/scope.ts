import { fail, flattenTree, type GradNode, isTensor, type OpenScope } from "@gradus/core";
import type { GradusTensor } from "./gradus-tensor.js";

/** The scopes being run, innermost last. Only synchronous code runs inside one, so this never outlives a call. */
const running: Set<GradusTensor>[] = [];

/** Notes a new tensor in the innermost scope, if there is one. */
export function registerInScope(tensor: GradusTensor): void {
  running.at(-1)?.add(tensor);
}

/** How many scopes are being run: 0 outside of all of them. For leak checks. */
export function scopeDepth(): number {
  return running.length;
}

/**
 * Runs `f` and disposes every tensor that was made meanwhile, except those in its result (any tree).
 *
 * On a device without garbage collection (a GPU) this is how eager code gives memory back. If the result is itself
 * being differentiated, what its gradient needs is handed to the enclosing scope instead.
 *
 * @throws `async-scope` if `f` returns a Promise: a scope cannot tell whose tensors are made while it waits. Use
 * {@link openScope} in async code. The type says so too.
 *
 * @example
 * ```ts
 * import { scope, tensor } from "@gradus/tensor";
 * const norm = scope(() => tensor([3, 4]).square().sum().sqrt());
 * norm.item(); // → 5
 * ```
 */
export function scope<T>(f: () => T extends PromiseLike<unknown> ? never : T): T {
  const made = new Set<GradusTensor>();
  running.push(made);
  let result: T;
  let kept: Set<unknown>;
  try {
    result = f();
    if (isPromise(result)) {
      fail(
        "async-scope",
        "scope: the callback returned a Promise, and a scope ends before the Promise does. Use openScope() in async code, with track() or run() and dispose()",
      );
    }
    kept = survivors(result);
  } catch (error) {
    for (const tensor of made) tensor.dispose();
    throw error;
  } finally {
    running.pop();
  }
  const parent = running.at(-1);
  for (const tensor of made) {
    if (kept.has(tensor)) parent?.add(tensor);
    else tensor.dispose();
  }
  return result;
}

export function isPromise(x: unknown): x is PromiseLike<unknown> {
  return typeof x === "object" && x !== null && typeof (x as { then?: unknown }).then === "function";
}

/** The tensors of a result, and those that the graphs behind them will need. */
function survivors(result: unknown): Set<unknown> {
  const kept = new Set<unknown>();
  const nodes = new Set<GradNode>();
  const pending: unknown[] = flattenTree(result).leaves.filter(isTensor);
  while (pending.length > 0) {
    const tensor = pending.pop() as GradusTensor;
    if (kept.has(tensor)) continue;
    kept.add(tensor);
    if (tensor.value.kind === "batched") pending.push(tensor.value.of);
    const node = tensor.history?.node;
    if (node === undefined || nodes.has(node)) continue;
    nodes.add(node);
    pending.push(...node.inputs, ...node.values, ...(node.keeps ?? []));
  }
  return kept;
}

/**
 * A scope that the caller ends, for code that awaits:
 *
 * @example
 * ```ts
 * import { openScope, tensor } from "@gradus/tensor";
 * const scope = openScope();
 * const y = scope.run(() => tensor([1, 2, 3]).square().sum());
 * const [value] = await y.read();
 * scope.dispose();
 * console.log(value); // → 14
 * ```
 */
export function openScope(): OpenScope {
  const owned = new Set<GradusTensor>();
  const tensorsIn = (tree: unknown): GradusTensor[] =>
    flattenTree(tree).leaves.filter(isTensor) as GradusTensor[];
  const open: OpenScope = {
    track: (tree) => {
      for (const tensor of tensorsIn(tree)) owned.add(tensor);
      return tree;
    },
    run: (f) => {
      running.push(owned);
      try {
        return f();
      } finally {
        running.pop();
      }
    },
    keep: (tree) => {
      for (const tensor of tensorsIn(tree)) owned.delete(tensor);
      return tree;
    },
    dispose: (except) => {
      const kept = new Set(except === undefined ? [] : tensorsIn(except));
      for (const tensor of owned) {
        if (kept.has(tensor)) continue;
        tensor.dispose();
        owned.delete(tensor);
      }
    },
    [Symbol.dispose]: () => open.dispose(),
  };
  return open;
}
