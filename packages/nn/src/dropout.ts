import { fail, type Layer } from "@gradus/core";
import { type Empty, stateless } from "./stateless.js";

/**
 * In training, each element is zero with probability `p` and otherwise divided by `1 - p`, which keeps its
 * expectation; in evaluation nothing happens. A new `context.key` for each step gives new zeros, the same key
 * the same ones.
 *
 * @param p Default 0.5.
 * @throws `invalid-argument` unless p is in [0, 1], and when applied in training without a key.
 *
 * Source: PyTorch's `nn.Dropout`; Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
 * Overfitting", 2014.
 *
 * @example
 * ```ts
 * import { dropout } from "@gradus/nn";
 * import { key, ones } from "@gradus/tensor";
 * const layer = dropout(0.5);
 * const [trained] = layer.apply({}, {}, ones([100]), { train: true, key: key(0) });
 * console.log(trained.max().item(), trained.min().item()); // → 2 0
 * const [evaluated] = layer.apply({}, {}, ones([2]), { train: false });
 * console.log(evaluated); // → Tensor f32[2] [1, 1]
 * ```
 */
export function dropout(p = 0.5): Layer<Empty, Empty> {
  if (!(p >= 0 && p <= 1)) fail("invalid-argument", `dropout: p must be in [0, 1], got ${p}`);
  const name = `dropout(${p})`;
  return stateless(name, (x, { train, key }) => {
    if (!train || p === 0) return x;
    if (p === 1) return x.zerosLike();
    if (key === undefined) {
      fail(
        "invalid-argument",
        `${name}: training needs randomness: pass { train: true, key } with a new key each step`,
      );
    }
    return key.bernoulli(1 - p, x.shape).where(x.mul(1 / (1 - p)), 0);
  });
}
