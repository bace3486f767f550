import { type Axes, fail, isFloat, type ReduceOptions, type Tensor } from "@gradus/core";

/**
 * The p-norm `(sum |x|^p)^(1/p)` over axes. p = Infinity and -Infinity give the greatest and least absolute value, p = 0
 * the number of elements that are not zero. At the zero vector the gradient is 0, as in PyTorch.
 */
export function norm(x: Tensor, axes?: Axes, options: ReduceOptions & { readonly p?: number } = {}): Tensor {
  // Squares leave the range of f16 where their root does not.
  if (x.dtype === "f16") return norm(x.cast("f32"), axes, options).cast("f16");
  const { p = 2, keepdims = false } = options;
  if (typeof p !== "number" || Number.isNaN(p))
    fail("invalid-argument", `norm: p must be a number, got ${String(p)}`);
  const values = isFloat(x.dtype) ? x : x.cast("f32");
  const reduce = { keepdims };
  if (p === Number.POSITIVE_INFINITY) return values.abs().max(axes, reduce);
  if (p === Number.NEGATIVE_INFINITY) return values.abs().min(axes, reduce);
  if (p === 0) return values.ne(0).cast(values.dtype).sum(axes, reduce);
  if (p === 1) return values.abs().sum(axes, reduce);
  if (p === 2) return rootOf(values.square().sum(axes, reduce), (s) => s.sqrt());
  const powers = p > 1 ? values.abs().pow(p) : rootOf(values.abs(), (a) => a.pow(p));
  return rootOf(powers.sum(axes, reduce), (s) => s.pow(1 / p));
}

/** `root(x)` where x is not 0, and 0 with gradient 0 where it is. */
function rootOf(x: Tensor, root: (x: Tensor) => Tensor): Tensor {
  const zero = x.eq(0);
  return zero.where(0, root(zero.where(1, x)));
}
