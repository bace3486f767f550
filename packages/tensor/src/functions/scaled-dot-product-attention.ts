import {
  type Aval,
  axisIndex,
  calculus as c,
  type Expr,
  fail,
  formatShape,
  inputAt,
  type Op,
  param,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { softmaxBack } from "../ops/softmax.js";

export interface AttentionOptions {
  /** Each query sees only the keys up to its own position. Default false. */
  readonly causal?: boolean;
  /** Which keys a query sees (bool), or what is added to their scores; broadcast to `[..., queries, keys]`. */
  readonly mask?: Tensor;
  /** What scores are multiplied by. Default `1 / sqrt(features)`. */
  readonly scale?: number;
}

/**
 * `softmax(scale Q K^T + mask) V` for queries `[..., queries, features]`, keys `[..., keys, features]` and values `[..., keys,
 * outputs]`; the other axes broadcast. A query that sees no key gives zeros.
 *
 * Three kernels: the scores, their softmax with its scale and causal mask, the product with the values. In the gradient the
 * softmax is one kernel between the products.
 *
 * @throws `shape-mismatch` if the sizes do not fit.
 *
 * Source: PyTorch's `nn.functional.scaled_dot_product_attention`; Vaswani et al., "Attention Is All You Need", 2017.
 *
 * @example
 * ```ts
 * import { eye, ones, scaledDotProductAttention, tensor } from "@gradus/tensor";
 * const values = tensor([[1], [3]]);
 * console.log(scaledDotProductAttention(ones([2, 4]), ones([2, 4]), values, { causal: true }).flatten());
 * // → Tensor f32[2] [1, 2]
 * ```
 */
export function scaledDotProductAttention(
  queries: Tensor,
  keys: Tensor,
  values: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const features = queries.shape.at(-1) as number;
  if (
    [queries, keys, values].some((x) => x.ndim < 2) ||
    keys.shape.at(-1) !== features ||
    keys.shape.at(-2) !== values.shape.at(-2)
  ) {
    fail(
      "shape-mismatch",
      `scaledDotProductAttention: queries ${formatShape(queries.shape)} and keys ${formatShape(keys.shape)} need the same features, keys and values ${formatShape(values.shape)} the same length`,
    );
  }
  const { causal = false, mask, scale = 1 / Math.sqrt(features) } = options;
  const scores = queries.matmul(keys.transpose());
  let weights: Tensor;
  if (mask === undefined) weights = applyOne(attendOp, [scores], { causal, scale });
  else {
    const scaled = scores.mul(scale);
    const masked = mask.dtype === "bool" ? mask.where(scaled, -Infinity) : scaled.add(mask);
    weights = applyOne(attendOp, [masked], { causal, scale: 1 });
  }
  return weights.matmul(values);
}

interface AttendAttrs {
  readonly causal: boolean;
  readonly scale: number;
}

/** The softmax of the scaled scores that a query sees; zeros where it sees none. */
const attendOp: Op<AttendAttrs> = {
  name: "attend",
  infer: ([x]) => [{ shape: (x as Aval).shape, dtype: (x as Aval).dtype }],
  lower([x], { causal, scale }) {
    const { shape, dtype } = x as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `attend ${dtype} ${rank} ${causal}`,
      body: () => {
        const at = shape.map((_, axis) => axisIndex(axis));
        const seen = c.lessEqual(axisIndex(rank - 1), axisIndex(rank - 2));
        const score = c.mul(inputAt(0, dtype, at), param(0, dtype));
        const value = causal ? c.where(seen, score, -Infinity) : score;
        const greatest = stage(0, dtype);
        const none = c.equal(greatest, -Infinity);
        const over = [rank - 1];
        // Below the greatest; without one there is nothing to subtract from.
        const weight: Expr = c.exp(c.sub(value, c.where(none, 0, greatest)));
        return {
          name: "attend",
          params: [dtype],
          grid: rank - 1,
          stages: [
            { over, op: "max", value, dtype },
            { over, op: "sum", value: weight, dtype },
          ],
          writes: [{ over, at, value: c.where(none, 0, c.div(weight, stage(1, dtype))) }],
        };
      },
      sizes: shape,
      params: [scale],
    };
  },
  vjp: ({ cotangents: [dy], outputs: [y], attrs: { scale } }) => [
    softmaxBack(dy as Tensor, y as Tensor, [(y as Tensor).ndim - 1], scale),
  ],
};
