import {
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isTensor,
  type Optimizer,
  type Tensor,
} from "@gradus/core";
import { checkDecay, checkNonNegative } from "./check-options.js";
import { averaged, type Block, blocksOf, type InverseBlock, invert } from "./kfac-factors.js";
import type { FlatLayout } from "./problem/flat-layout.js";
import { iterative, type StoppingOptions } from "./problem/iterative.js";
import { inner, isFinitePoint, type Point, type Problem } from "./problem/problem.js";
import { type Reading, readAll } from "./problem/reading.js";

export interface KfacOptions extends StoppingOptions {
  /** Added to the Fisher matrix's diagonal at first; later steps adapt it. Default 0.1. */
  readonly damping?: number;
  /** How much of the last factors is kept, in [0, 1), once there are some. Default 0.5; for small batches 0.95. */
  readonly decay?: number;
  /** Whether the last step is part of the next one, as much as the exact Fisher matrix says. Default true. */
  readonly momentum?: boolean;
}

/**
 * K-FAC: natural gradient with a Fisher matrix of one block for each weight, and each block taken as the Kronecker product of
 * two small matrices, of what goes into the layer (A) and of the gradients of what comes out (G). So its inverse is cheap:
 * a weight's direction is `-(G + ..)^-1 grad (A + ..)^-1`.
 *
 * The direction and the last step are then combined as is best for the quadratic model with the exact Fisher matrix. A step is
 * taken only if the loss falls, and the damping follows how well the model foretold it (Levenberg and Marquardt).
 *
 * Weights of dense and convolutional layers (of one group) have blocks. For other parameters, such as a norm's, the block is a
 * multiple of the identity: the mean of the others' diagonals.
 *
 * - **When**: dense and convolutional networks on large or full batches, where it needs a fraction of Adam's steps.
 * - **Memory**: two matrices, `[in, in]` and `[out, out]`, for each weight, and as much again during a step; four vectors of
 *   the parameters' size. They are inverted on the host, in O(in^3 + out^3).
 * - **Evaluations**: 1 to 2 of value and gradient, one of the taps, and 2 Fisher products an iteration.
 *
 * Ends with `converged`, `line-search-failed` (no damping gave a better point), `max-iterations` or `non-finite`.
 *
 * @throws `invalid-argument` for options out of range, an empty parameter tree, or an objective without `layerTaps` or
 * `fisherVp`; `step` throws `tree-mismatch` or `shape-mismatch` for a state of something else.
 *
 * Source: Martens and Grosse, "Optimizing Neural Networks with Kronecker-factored Approximate Curvature", 2015; Grosse and
 * Martens, "A Kronecker-factored approximate Fisher matrix for convolution layers", 2016.
 *
 * @example
 * ```ts
 * import { modelObjective } from "@gradus/autograd";
 * import { crossEntropy } from "@gradus/losses";
 * import { linear, sequential, tanh } from "@gradus/nn";
 * import { kfac } from "@gradus/optimizers";
 * import { key, tensor } from "@gradus/tensor";
 * const model = sequential(linear(2, 8), tanh(), linear(8, 2));
 * let { params, state: layers } = model.init(key(0));
 * const batch = { x: tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), y: tensor([0, 1, 1, 0], { dtype: "i32" }) };
 * const f = modelObjective({
 *   outputs: (p: typeof params, { x }: typeof batch, tap) => model.apply(p, layers, x, { train: true, tap })[0],
 *   loss: (logits, { y }) => crossEntropy(logits, y),
 *   predicts: "classes",
 * });
 * const optimizer = kfac();
 * let state = optimizer.init(params);
 * let loss = Infinity;
 * for (let i = 0; i < 20; i++) ({ params, state, loss } = await optimizer.step(f, params, state, batch));
 * console.log(loss < 0.05); // → true
 * ```
 */
export function kfac(options: KfacOptions = {}): Optimizer {
  const { damping = 0.1, decay = 0.5, momentum = true } = options;
  checkNonNegative("kfac", { damping });
  checkDecay("kfac", { decay });
  if (damping === 0) fail("invalid-argument", "kfac: damping must be above 0, got 0");
  return iterative({
    name: "kfac",
    stopping: options,
    keeps: {
      scalars: { damping, updates: 0 },
      tensors: { velocity: "vector", inputs: "list", outputs: "list" },
    },
    *iterate(problem, point, { scalars, tensors }) {
      const { layout } = problem;
      const { updates } = scalars;
      const kept = updates === 0 ? 0 : Math.min(1 - 1 / (updates + 1), decay);
      const blocks = tapped(problem, point).map((block, i) => ({
        ...block,
        inputs: averaged(layout, sameShaped(tensors.inputs[i], block.inputs), block.inputs, kept),
        outputs: averaged(layout, sameShaped(tensors.outputs[i], block.outputs), block.outputs, kept),
      }));
      const remember = (lambda: number, velocity: Tensor) => ({
        scalars: { damping: lambda, updates: updates + 1 },
        tensors: {
          velocity,
          inputs: blocks.map(({ inputs }) => inputs),
          outputs: blocks.map(({ outputs }) => outputs),
        },
      });
      let lambda = scalars.damping;
      let sawNumbers = false;
      for (let tries = 0; tries < 30; tries++) {
        const direction = yield* naturalDirection(layout, blocks, point, lambda);
        if (direction === undefined) return { point, memory: { scalars, tensors }, reason: "non-finite" };
        const last = momentum && updates > 0 && tries === 0 ? tensors.velocity : undefined;
        const { step, decrease } = yield* combined(problem, point, direction, last, lambda);
        const next = yield* problem.at(layout.engine.scope(() => point.x.add(step)));
        const finite = isFinitePoint(next);
        // A step so short that nothing moves says nothing about the numbers around.
        if (tries > 0 && !sawNumbers && next.value === point.value) break;
        sawNumbers ||= finite;
        const ratio = finite ? (point.value - next.value) / decrease : -1;
        if (finite && ratio > 0) {
          if (ratio > 0.75) lambda *= 2 / 3;
          else if (ratio < 0.25) lambda *= 3 / 2;
          return { point: next, memory: remember(lambda, step) };
        }
        if (finite && Math.abs(decrease) <= 10 * layout.epsilon * Math.abs(point.value)) {
          return { point, memory: remember(lambda, tensors.velocity), reason: "converged" };
        }
        lambda *= 4;
      }
      const reason = sawNumbers ? "line-search-failed" : "non-finite";
      return { point, memory: { scalars, tensors }, reason };
    },
  });
}

/** The blocks at a point, by the objective's taps. */
function tapped<P, Batch, Aux>(problem: Problem<P, Batch, Aux>, { x }: Point<Aux>): Block[] {
  const { layout, objective, batch } = problem;
  return layout.engine.scope(() => {
    const taps = objective.layerTaps?.(layout.unflatten(x), batch);
    if (taps === undefined) {
      return fail(
        "invalid-argument",
        "kfac: the objective has no layerTaps, which this method needs. modelObjective() of @gradus/autograd makes one that has",
      );
    }
    return blocksOf(layout, taps);
  });
}

/** Factors of other sizes belong to another model. */
function sameShaped(old: Tensor | undefined, now: Tensor): Tensor | undefined {
  if (old === undefined || formatShape(old.shape) === formatShape(now.shape)) return old;
  return fail(
    "shape-mismatch",
    `kfac: a factor in the state has shape ${formatShape(old.shape)}, this model's ${formatShape(now.shape)}. ` +
      "The state belongs to another model: call init()",
  );
}

/** `-F^-1 g` with the factored, damped Fisher matrix; undefined if a factor cannot be inverted. */
function* naturalDirection<P, Aux>(
  layout: FlatLayout<P>,
  blocks: readonly Block[],
  { gradient }: Point<Aux>,
  damping: number,
): Reading<Tensor | undefined> {
  const inverses: InverseBlock[] = [];
  for (const block of blocks) {
    const inverse = yield* invert(layout, block, damping);
    if (inverse === undefined) return undefined;
    inverses.push(inverse);
  }
  const mean =
    inverses.reduce((sum, { meanDiagonal }) => sum + meanDiagonal, 0) / Math.max(inverses.length, 1);
  return layout.engine.scope(() => {
    const flat = flattenTree(layout.unflatten(gradient));
    const places = new Map(flat.paths.map((path, i) => [formatPath(path), i]));
    const leaves = flat.leaves.map((leaf) => (isTensor(leaf) ? leaf.div(-(mean + damping)) : leaf));
    for (const { weight, bias, layout: lies, inputs, outputs } of inverses) {
      const at = places.get(formatPath(weight)) as number;
      const g = flat.leaves[at] as Tensor;
      const out = outputs.shape[0] as number;
      const matrix = lies === "out-in" ? g.reshape([out, -1]) : g.reshape([-1, out]).transpose();
      const biasAt = bias === undefined ? undefined : (places.get(formatPath(bias)) as number);
      const joined =
        biasAt === undefined
          ? matrix
          : layout.engine.concat([matrix, (flat.leaves[biasAt] as Tensor).reshape([out, 1])], 1);
      const solved = outputs.matmul(joined).matmul(inputs).neg();
      const columns = matrix.shape[1] as number;
      const own = solved.slice(null, [0, columns]);
      leaves[at] = (lies === "out-in" ? own : own.transpose()).reshape(g.shape);
      if (biasAt !== undefined) leaves[biasAt] = solved.slice(null, [columns, columns + 1]).reshape([out]);
    }
    return layout.flatten(flat.rebuild(leaves));
  });
}

/** The best combination of a direction and the last step, by the model with the exact Fisher matrix. */
function* combined<P, Batch, Aux>(
  problem: Problem<P, Batch, Aux>,
  { x, gradient }: Point<Aux>,
  direction: Tensor,
  last: Tensor | undefined,
  damping: number,
): Reading<{ readonly step: Tensor; readonly decrease: number }> {
  const { engine } = problem.layout;
  const pushed = problem.fisherTimes(x, direction);
  const [slope, curvature, own] = yield* readAll(
    engine.scope(
      () => [inner(gradient, direction), inner(direction, pushed), inner(direction, direction)] as const,
    ),
  );
  const alone = -slope / (curvature + damping * own);
  if (last !== undefined) {
    const pushedLast = problem.fisherTimes(x, last);
    const [slopeLast, curvatureLast, ownLast, mixed, overlap] = yield* readAll(
      engine.scope(
        () =>
          [
            inner(gradient, last),
            inner(last, pushedLast),
            inner(last, last),
            inner(direction, pushedLast),
            inner(direction, last),
          ] as const,
      ),
    );
    const [a, b, c] = [
      curvature + damping * own,
      mixed + damping * overlap,
      curvatureLast + damping * ownLast,
    ];
    const determinant = a * c - b * b;
    if (determinant > 1e-10 * a * c) {
      const alpha = (-slope * c + slopeLast * b) / determinant;
      const mu = (-slopeLast * a + slope * b) / determinant;
      const decrease =
        -(alpha * slope + mu * slopeLast) -
        0.5 * (alpha ** 2 * curvature + 2 * alpha * mu * mixed + mu ** 2 * curvatureLast);
      return { step: engine.scope(() => direction.mul(alpha).add(last.mul(mu))), decrease };
    }
  }
  const decrease = -alone * slope - 0.5 * alone ** 2 * curvature;
  return { step: engine.scope(() => direction.mul(alone)), decrease };
}
