import {
  type Engine,
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isFloat,
  isTensor,
  type Level,
  mapTree,
  type Tensor,
} from "@gradus/core";
import { pullback } from "./pullback.js";

/**
 * The gradient of a function with one number as its result, by its first argument: any tree of float tensors. The
 * gradient is a tree of the same type. Further arguments are passed along and not differentiated.
 *
 * If `f` returns `[loss, aux]`, so does the result: `[gradient, aux]`.
 *
 * Outside of `compile`, `f` runs eagerly: it may look at values and branch on them. All tensors that it makes are freed,
 * except the result. Apply `grad` again for higher derivatives.
 *
 * A tensor that the result does not depend on has a gradient of zeros.
 *
 * @throws `not-scalar` if the result has more than one element, `no-gradient` if `f` never used the argument,
 * `not-differentiable` for integer leaves, `async-scope` if `f` is async.
 *
 * @example
 * ```ts
 * import { grad } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = (x: Tensor) => x.square().sum();
 * console.log(grad(f)(tensor([1, 2, 3]))); // → Tensor f32[3] [2, 4, 6]
 * ```
 */
export function grad<P, Rest extends readonly unknown[], Aux>(
  f: (params: P, ...rest: Rest) => readonly [loss: Tensor, aux: Aux],
): (params: P, ...rest: Rest) => [grads: P, aux: Aux];
export function grad<P, Rest extends readonly unknown[]>(
  f: (params: P, ...rest: Rest) => Tensor,
): (params: P, ...rest: Rest) => P;
export function grad<P, Rest extends readonly unknown[]>(
  f: (params: P, ...rest: Rest) => Tensor | readonly [Tensor, unknown],
): (params: P, ...rest: Rest) => P | [P, unknown] {
  return (params, ...rest) => {
    const { grads, aux } = differentiate("grad", f, params, rest, false);
    return aux === undefined ? grads : [grads, aux.value];
  };
}

/**
 * The value and the {@link grad} of a function in one pass: `[loss, grads]`, or `[loss, grads, aux]` if `f` returns
 * `[loss, aux]`.
 *
 * @example
 * ```ts
 * import { valueAndGrad } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const [value, grads] = valueAndGrad((p: { w: Tensor }) => p.w.exp().sum())({ w: tensor([0, 0]) });
 * console.log(value.item(), grads.w.toArray()); // → 2 [ 1, 1 ]
 * ```
 */
export function valueAndGrad<P, Rest extends readonly unknown[], Aux>(
  f: (params: P, ...rest: Rest) => readonly [loss: Tensor, aux: Aux],
): (params: P, ...rest: Rest) => [loss: Tensor, grads: P, aux: Aux];
export function valueAndGrad<P, Rest extends readonly unknown[]>(
  f: (params: P, ...rest: Rest) => Tensor,
): (params: P, ...rest: Rest) => [loss: Tensor, grads: P];
export function valueAndGrad<P, Rest extends readonly unknown[]>(
  f: (params: P, ...rest: Rest) => Tensor | readonly [Tensor, unknown],
): (params: P, ...rest: Rest) => [Tensor, P] | [Tensor, P, unknown] {
  return (params, ...rest) => {
    const { loss, grads, aux } = differentiate("valueAndGrad", f, params, rest, true);
    return aux === undefined ? [loss as Tensor, grads] : [loss as Tensor, grads, aux.value];
  };
}

interface Differentiated<P> {
  readonly loss?: Tensor;
  readonly grads: P;
  readonly aux?: { readonly value: unknown };
}

function differentiate<P, Rest extends readonly unknown[]>(
  name: string,
  f: (params: P, ...rest: Rest) => Tensor | readonly [Tensor, unknown],
  params: P,
  rest: Rest,
  wantsLoss: boolean,
): Differentiated<P> {
  const engine = engineOf(name, params);
  return engine.scope((): Differentiated<P> => {
    const level: Level = { open: true, used: false };
    const watched = watchTree(engine, params, level);
    const result = recording(level, () => f(watched, ...rest));
    const [loss, aux] = lossOf(name, result);
    if (!level.used) {
      fail(
        "no-gradient",
        `${name}: the function never used its first argument in a differentiable way, so there is nothing to differentiate. ` +
          "Was it read with item() or data(), detached, or rounded to integers?",
      );
    }
    const targets = flattenTree(watched).leaves.filter(isTensor);
    const found = pullback([loss], [loss.onesLike()], targets);
    const seen = new Set<Tensor>();
    let next = 0;
    const grads = mapTree(params, (x) => {
      const gradient = found[next++] ?? x.zerosLike();
      // Each leaf is a tensor of its own, so that it can be disposed or donated alone.
      if (!seen.has(gradient)) {
        seen.add(gradient);
        return gradient;
      }
      return gradient.detach();
    });
    return {
      grads,
      ...(wantsLoss && { loss: engine.settled(loss) }),
      ...(aux !== undefined && { aux: { value: mapTree(aux.value, engine.settled) } }),
    };
  });
}

/** Runs `f` while `level` records. */
export function recording<T>(level: Level, f: () => T): T {
  try {
    return f();
  } finally {
    level.open = false;
  }
}

/** The tree with each tensor replaced by one that `level` differentiates by. */
export function watchTree<P>(engine: Engine, tree: P, level: Level): P {
  return mapTree(tree, (x) => engine.watch(x, level));
}

/** The engine of a tree's tensors, all of which must be floats. */
export function engineOf(name: string, params: unknown): Engine {
  const { leaves, paths } = flattenTree(params);
  let engine: Engine | undefined;
  leaves.forEach((leaf, i) => {
    if (!isTensor(leaf)) return;
    engine ??= leaf.engine;
    if (!isFloat(leaf.dtype)) {
      fail(
        "not-differentiable",
        `${name}: ${formatPath(paths[i] ?? [])} is ${leaf.dtype}: only f32 and f64 have gradients. Pass it as a later argument, or convert it with cast("f32")`,
      );
    }
  });
  return (
    engine ?? fail("no-gradient", `${name}: there is no tensor to differentiate by in the first argument`)
  );
}

function lossOf(
  name: string,
  result: Tensor | readonly [Tensor, unknown],
): [loss: Tensor, aux: { readonly value: unknown } | undefined] {
  if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
    fail(
      "async-scope",
      `${name}: the function returned a Promise: differentiate the synchronous part, and await outside of it`,
    );
  }
  const [loss, aux] = isTensor(result) ? [result, undefined] : [result?.[0], { value: result?.[1] }];
  if (!isTensor(loss)) {
    fail(
      "invalid-argument",
      `${name}: the function must return a tensor, or [tensor, aux], got ${String(result)}`,
    );
  }
  if (loss.size !== 1) {
    fail(
      "not-scalar",
      `${name}: the function must return one number, got shape ${formatShape(loss.shape)}. Reduce it with sum() or mean(), or use vjp()`,
    );
  }
  if (!isFloat(loss.dtype))
    fail("not-differentiable", `${name}: the result is ${loss.dtype}, which has no derivative`);
  return [loss, aux];
}
