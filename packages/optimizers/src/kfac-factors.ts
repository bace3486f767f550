import { formatPath, type LayerTap, type Path, type Tensor } from "@gradus/core";
import { positiveInverse } from "./dense/inverse.js";
import { rowsOf } from "./dense/vectors.js";
import type { FlatLayout } from "./problem/flat-layout.js";
import { numbersOf, type Reading } from "./problem/reading.js";

/** One weight with its bias, and the two factors of its block of the Fisher matrix. */
export interface Block {
  readonly weight: Path;
  readonly bias: Path | undefined;
  readonly layout: LayerTap["layout"];
  /** Second moments of what goes in, the bias's 1 last: `[in + 1, in + 1]`, summed over positions, averaged over examples. */
  readonly inputs: Tensor;
  /** Second moments of the gradients of what comes out: `[out, out]`. */
  readonly outputs: Tensor;
}

/** The blocks of a batch's taps; a weight that is used several times has one. */
export function blocksOf<P>({ engine }: FlatLayout<P>, taps: readonly LayerTap[]): Block[] {
  const uses = new Map<string, LayerTap[]>();
  for (const tap of taps) {
    const name = formatPath(tap.weight);
    uses.set(name, [...(uses.get(name) ?? []), tap]);
  }
  return [...uses.values()].map((list) => {
    const [first] = list as [LayerTap, ...LayerTap[]];
    const rows = list.reduce((sum, { input }) => sum + (input.shape[0] as number), 0);
    const moments = (of: (tap: LayerTap) => Tensor, count: number): Tensor =>
      engine.scope(() =>
        list
          .map(of)
          .map((x) => x.transpose().matmul(x))
          .reduce((sum, x) => sum.add(x))
          .div(count),
      );
    const withOne = ({ input }: LayerTap): Tensor => {
      if (first.bias === undefined) return input;
      const one = engine.full([input.shape[0] as number, 1], 1, { dtype: input.dtype, device: input.device });
      return engine.concat([input, one], 1);
    };
    return {
      weight: first.weight,
      bias: first.bias,
      layout: first.layout,
      inputs: moments(withOne, first.examples),
      outputs: moments(({ cotangent }) => cotangent, rows),
    };
  });
}

/** The inverses of a block's damped factors. */
export interface InverseBlock extends Omit<Block, "inputs" | "outputs"> {
  readonly inputs: Tensor;
  readonly outputs: Tensor;
  /** The mean of the diagonal of this block of the Fisher matrix. */
  readonly meanDiagonal: number;
}

/**
 * `(A + pi r I)^-1` and `(G + r / pi I)^-1` with `r^2 = damping`: together nearly `A x G + damping I`. pi, the ratio of the
 * factors' mean diagonals, splits the damping where it changes least. Undefined if a factor is not finite.
 */
export function* invert<P>(
  layout: FlatLayout<P>,
  block: Block,
  damping: number,
): Reading<InverseBlock | undefined> {
  const a = yield* matrixOf(block.inputs);
  const g = yield* matrixOf(block.outputs);
  const [meanA, meanG] = [meanDiagonal(a), meanDiagonal(g)];
  const pi = meanA > 0 && meanG > 0 ? Math.sqrt(meanA / meanG) : 1;
  const root = Math.sqrt(damping);
  const inverseA = positiveInverse(a, pi * root);
  const inverseG = positiveInverse(g, root / pi);
  if (inverseA === undefined || inverseG === undefined) return undefined;
  const { engine, dtype, device } = layout;
  const square = (values: Float64Array, n: number): Tensor =>
    engine.tensor(values, { shape: [n, n], dtype, device });
  return {
    ...block,
    inputs: square(inverseA, a.length),
    outputs: square(inverseG, g.length),
    meanDiagonal: meanA * meanG,
  };
}

function* matrixOf(x: Tensor): Reading<Float64Array[]> {
  return rowsOf(yield* numbersOf(x), x.shape[0] as number);
}

function meanDiagonal(a: readonly Float64Array[]): number {
  return a.reduce((sum, row, i) => sum + (row[i] as number), 0) / a.length;
}

/** The factors after those of another batch joined: `decay` of the old ones is kept. */
export function averaged<P>(
  { engine }: FlatLayout<P>,
  old: Tensor | undefined,
  now: Tensor,
  decay: number,
): Tensor {
  if (old === undefined || decay === 0) return now;
  return engine.scope(() => old.mul(decay).add(now.mul(1 - decay)));
}
