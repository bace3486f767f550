import {
  type Backend,
  type CreateOptions,
  checkShape,
  fail,
  formatShape,
  isFloat,
  isScalar,
  type Key,
  type Scalar,
  type Shape,
  type Tensor,
  TREE,
} from "@gradus/core";
import { apply, applyOne } from "../apply.js";
import { full, tensor } from "../create.js";
import { argsortLast } from "../ops/argsort.js";
import { deriveKeys, draw } from "./draw.js";

/**
 * The random key of a seed (a whole number; 53 bits of it count).
 *
 * @example
 * ```ts
 * import { key } from "@gradus/tensor";
 * const [a, b] = key(0).split(2);
 * const x = a?.normal([2, 3]);
 * console.log(x?.shape); // → [ 2, 3 ]
 * const same = key(0).split(2)[0]?.normal([2, 3]);
 * if (x && same) x.eq(same).all().item(); // → 1
 * ```
 */
export function key(seed: number, options: { readonly device?: Backend } = {}): Key {
  if (!Number.isSafeInteger(seed))
    fail("invalid-argument", `key: the seed must be a whole number, got ${seed}`);
  const high = Math.floor(seed / 2 ** 32) | 0;
  return new ThreefryKey(tensor(new Int32Array([high, seed | 0]), options));
}

class ThreefryKey implements Key {
  constructor(readonly words: Tensor) {}

  get [TREE](): Key[typeof TREE] {
    return { children: [this.words], rebuild: ([words]) => new ThreefryKey(words as Tensor) };
  }

  split(count: number): Key[] {
    if (!Number.isInteger(count) || count < 1)
      fail("invalid-argument", `key.split: the count must be at least 1, got ${count}`);
    const rows = applyOne(deriveKeys, [this.words], { use: "split" as const, count, data: 0 });
    return Array.from({ length: count }, (_, i) => new ThreefryKey(rows.slice([i, i + 1]).reshape([2])));
  }

  foldIn(data: number | Scalar): Key {
    if (!isScalar(data) && !Number.isSafeInteger(data)) {
      fail("invalid-argument", `key.foldIn: expected a whole number, got ${String(data)}`);
    }
    const word = isScalar(data) ? data : data | 0;
    return new ThreefryKey(
      applyOne(deriveKeys, [this.words], { use: "foldIn" as const, count: 1, data: word }),
    );
  }

  uniform(
    shape: Shape,
    options: CreateOptions & { readonly low?: number; readonly high?: number } = {},
  ): Tensor {
    const { low = 0, high = 1 } = options;
    if (!(low <= high)) fail("invalid-argument", `key.uniform: low ${low} must not exceed high ${high}`);
    return this.draw("uniform", shape, low, high - low, options);
  }

  normal(
    shape: Shape,
    options: CreateOptions & { readonly mean?: number; readonly std?: number } = {},
  ): Tensor {
    const { mean = 0, std = 1 } = options;
    if (!(std >= 0)) fail("invalid-argument", `key.normal: std must be at least 0, got ${std}`);
    return this.draw("normal", shape, mean, std, options);
  }

  bernoulli(p: number, shape: Shape): Tensor {
    if (!(p >= 0 && p <= 1)) fail("invalid-argument", `key.bernoulli: p must be within 0 and 1, got ${p}`);
    return this.uniform(shape).lt(p);
  }

  permutation(n: number): Tensor {
    checkShape("key.permutation", [n]);
    const attrs = { distribution: "bits" as const, shape: [n], dtype: "i32" as const, offset: 0, factor: 1 };
    return argsortLast(applyOne(draw, [this.words], attrs));
  }

  categorical(logits: Tensor): Tensor {
    if (logits.ndim === 0 || !isFloat(logits.dtype)) {
      fail(
        "invalid-argument",
        `key.categorical: expected float logits with a last axis of classes, got ${logits.dtype}${formatShape(logits.shape)}`,
      );
    }
    // The Gumbel trick: the greatest of logit - log(-log u) falls on a class with its softmax probability.
    const u = this.uniform(logits.shape, { dtype: logits.dtype });
    return logits.sub(u.log().neg().log()).argmax(-1);
  }

  zeros(shape: Shape, options: CreateOptions = {}): Tensor {
    return full(shape, 0, { device: this.words.device, ...options });
  }

  ones(shape: Shape, options: CreateOptions = {}): Tensor {
    return full(shape, 1, { device: this.words.device, ...options });
  }

  private draw(
    distribution: "uniform" | "normal",
    shape: Shape,
    offset: number,
    factor: number,
    options: CreateOptions,
  ): Tensor {
    const op = `key.${distribution}`;
    checkShape(op, shape);
    const { dtype = "f32" } = options;
    if (!isFloat(dtype)) fail("dtype-mismatch", `${op}: expected f32, f64 or f16, got ${dtype}`);
    if (options.device !== undefined && options.device !== this.words.device) {
      fail(
        "device-mismatch",
        `${op}: the key is on ${this.words.device.name}: numbers are drawn where their key is. Move the result: await x.to(device)`,
      );
    }
    return apply(draw, [this.words], { distribution, shape: [...shape], dtype, offset, factor })[0] as Tensor;
  }
}
