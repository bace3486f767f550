import { fail, formatShape, type Tensor } from "@gradus/core";
import { range } from "./split.js";

/** What is continued beyond the ends of an axis. */
export type PadMode = "reflect" | "replicate" | "circular";

/**
 * Adds `[before, after]` elements around each axis, made of the tensor's own: mirrored without the end itself ("reflect"),
 * the end repeated ("replicate"), or those of the other end ("circular"). Negative widths cut. With a number: `x.pad(...)`.
 *
 * @throws `invalid-argument` for widths that the axis cannot fill: below its size for "reflect", up to it for "circular".
 *
 * Source: PyTorch's `nn.functional.pad`, whose widths start at the last axis; NumPy's `pad` calls the modes reflect, edge
 * and wrap.
 *
 * @example
 * ```ts
 * import { padWith, tensor } from "@gradus/tensor";
 * console.log(padWith(tensor([1, 2, 3]), [[2, 1]], "reflect")); // → Tensor f32[6] [3, 2, 1, 2, 3, 2]
 * console.log(padWith(tensor([1, 2, 3]), [[1, 1]], "circular")); // → Tensor f32[5] [3, 1, 2, 3, 1]
 * ```
 */
export function padWith(
  x: Tensor,
  widths: readonly (readonly [before: number, after: number])[],
  mode: PadMode,
): Tensor {
  if (!Object.hasOwn(sides, mode)) {
    fail(
      "invalid-argument",
      `padWith: mode must be ${Object.keys(sides).join(", ")}, got ${String(mode)}. For a number use x.pad()`,
    );
  }
  if (widths.length !== x.ndim) {
    fail(
      "invalid-argument",
      `padWith: expected [before, after] for each of the ${x.ndim} axes, got ${widths.length} pairs`,
    );
  }
  return widths.reduce((y, [before, after], axis) => padAxis(y, axis, before, after, mode), x);
}

function padAxis(x: Tensor, axis: number, before: number, after: number, mode: PadMode): Tensor {
  const size = x.shape[axis] as number;
  const most = mode === "reflect" ? size - 1 : mode === "circular" ? size : size === 0 ? 0 : Infinity;
  for (const width of [before, after]) {
    if (!Number.isInteger(width) || width > Math.max(0, most)) {
      fail(
        "invalid-argument",
        `padWith: "${mode}" can add at most ${Math.max(0, most)} elements to axis ${axis} of ${formatShape(x.shape)}, got ${width}`,
      );
    }
  }
  if (before === 0 && after === 0) return x;
  const [first, last] = [Math.max(0, before), Math.max(0, after)];
  const whole = [
    ...(first > 0 ? [sides[mode].before(x, axis, first)] : []),
    x,
    ...(last > 0 ? [sides[mode].after(x, axis, last)] : []),
  ];
  const padded = x.engine.concat(whole, axis);
  const start = Math.max(0, -before);
  return range(padded, axis, start, Math.max(start, size + first + last - Math.max(0, -after)));
}

type Side = (x: Tensor, axis: number, width: number) => Tensor;

const sides: Readonly<Record<PadMode, { readonly before: Side; readonly after: Side }>> = {
  reflect: {
    before: (x, axis, n) => range(x, axis, 1, n + 1).flip(axis),
    after: (x, axis, n) => range(x, axis, end(x, axis) - 1 - n, end(x, axis) - 1).flip(axis),
  },
  replicate: {
    before: (x, axis, n) => wide(range(x, axis, 0, 1), axis, n),
    after: (x, axis, n) => wide(range(x, axis, end(x, axis) - 1, end(x, axis)), axis, n),
  },
  circular: {
    before: (x, axis, n) => range(x, axis, end(x, axis) - n, end(x, axis)),
    after: (x, axis, n) => range(x, axis, 0, n),
  },
};

function end(x: Tensor, axis: number): number {
  return x.shape[axis] as number;
}

function wide(x: Tensor, axis: number, n: number): Tensor {
  return x.expand(x.shape.map((size, k) => (k === axis ? n : size)));
}
