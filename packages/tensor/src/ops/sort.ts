import { fail, formatShape, normalizeAxis, type Selection, type SliceRange, type Tensor } from "@gradus/core";
import { argsortLast } from "./argsort.js";

/* Order along an axis. NaN counts as the greatest value; equal values keep their order. */

interface SortOptions {
  readonly descending?: boolean;
}

export function argsort(x: Tensor, axis = -1, options: SortOptions = {}): Tensor {
  return order("argsort", x, axis, options.descending);
}

/** The values in order, and where they were: the gradient goes there. */
export function sort(x: Tensor, axis = -1, options: SortOptions = {}): Selection {
  return select(x, axis, order("sort", x, axis, options.descending));
}

export function topk(
  x: Tensor,
  k: number,
  axis = -1,
  options: { readonly largest?: boolean } = {},
): Selection {
  const indices = order("topk", x, axis, options.largest ?? true);
  const size = sizeAlong(x, axis);
  if (!Number.isInteger(k) || k < 0 || k > size)
    fail("invalid-argument", `topk: k must be a whole number from 0 to ${size}, the axis' size, got ${k}`);
  return select(x, axis, range(indices, axis, 0, k));
}

interface KeepOptions {
  readonly keepdims?: boolean;
}

export function kthvalue(x: Tensor, k: number, axis = -1, options: KeepOptions = {}): Selection {
  const indices = order("kthvalue", x, axis);
  const size = sizeAlong(x, axis);
  if (!Number.isInteger(k) || k < 1 || k > size)
    fail(
      "invalid-argument",
      `kthvalue: k must be a whole number from 1 to ${size}, the axis' size, got ${k}`,
    );
  return dropped(select(x, axis, range(indices, axis, k - 1, k)), axis, options);
}

export function median(x: Tensor, axis?: number, options: KeepOptions = {}): Selection {
  if (axis === undefined) {
    const { values, indices } = median(x.flatten(), 0);
    const shape = options.keepdims === true ? x.shape.map(() => 1) : [];
    return { values: values.reshape(shape), indices: indices.reshape(shape) };
  }
  const sorted = order("median", x, axis);
  const size = sizeAlong(x, axis);
  if (size === 0)
    fail(
      "invalid-argument",
      `median: nothing to choose from: axis ${axis} of ${formatShape(x.shape)} is empty`,
    );
  const middle = Math.floor((size - 1) / 2);
  const nan = x.isNaN();
  const indices = nan
    .any(axis, { keepdims: true })
    .where(nan.cast("i32").argmax(axis, { keepdims: true }), range(sorted, axis, middle, middle + 1));
  return dropped(select(x, axis, indices), axis, options);
}

function order(name: string, x: Tensor, axis: number, descending = false): Tensor {
  const at = normalizeAxis(name, axis, Math.max(1, x.ndim));
  if (x.ndim === 0) return argsortLast(x.reshape([1])).reshape([]);
  return argsortLast(x.transpose(at, -1), descending).transpose(at, -1);
}

function select(x: Tensor, axis: number, indices: Tensor): Selection {
  return { values: x.gather(axis, indices), indices };
}

function sizeAlong(x: Tensor, axis: number): number {
  return x.ndim === 0 ? 1 : (x.shape.at(axis) as number);
}

/** The positions from `start` to `stop` of an axis. */
function range(x: Tensor, axis: number, start: number, stop: number): Tensor {
  if (x.ndim === 0) return stop > start ? x : x.reshape([1]).slice([0, 0]);
  const at = normalizeAxis("slice", axis, x.ndim);
  return x.slice(...x.shape.map((_, k): SliceRange => (k === at ? [start, stop] : null)));
}

function dropped({ values, indices }: Selection, axis: number, { keepdims }: KeepOptions): Selection {
  if (keepdims === true || values.ndim === 0) return { values, indices };
  return { values: values.squeeze(axis), indices: indices.squeeze(axis) };
}
