import {
  type Aval,
  type Axes,
  calculus as c,
  type Expr,
  fail,
  inputAt,
  isFloat,
  normalizeAxes,
  type Op,
  param,
  type ReduceOptions,
  reducedShape,
  type Stage,
  stage,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { along, reducedAval } from "./along.js";

/*
 * softmax, log-softmax and log-sum-exp: each one kernel of two stages, the row's greatest value and the sum of the
 * exponentials below it. Nothing overflows, and no intermediate tensor exists.
 */

/** The greatest value of the row, and the sum of `exp(x - greatest)`. */
function stages(x: Expr, over: readonly number[], shift: (greatest: Expr) => Expr = (g) => g): Stage[] {
  const { dtype } = x;
  const greatest = shift(stage(0, dtype));
  return [
    { over, op: "max", value: x, dtype },
    { over, op: "sum", value: c.exp(c.sub(x, greatest)), dtype },
  ];
}

interface AlongAttrs {
  readonly axes: readonly number[];
}

function floats(name: string, x: Aval): Aval {
  if (!isFloat(x.dtype))
    fail("dtype-mismatch", `${name}: expected floats, got ${x.dtype}. Convert first: x.cast("f32")`);
  return x;
}

function alongAxis(
  name: string,
  value: (x: Expr, greatest: Expr, total: Expr) => Expr,
  vjp: Op<AlongAttrs>["vjp"],
): Op<AlongAttrs> {
  return {
    name,
    infer: ([x]) => [{ shape: (x as Aval).shape, dtype: floats(name, x as Aval).dtype }],
    lower([x], { axes }) {
      const { shape, dtype } = x as Aval;
      const { grid, sizes, over, element } = along(shape, axes);
      return {
        kind: "loops",
        key: `${name} ${dtype} ${shape.length} ${axes.join()}`,
        body: () => {
          const source = inputAt(0, dtype, element);
          return {
            name,
            params: [],
            grid,
            stages: stages(source, over),
            writes: [{ over, at: element, value: value(source, stage(0, dtype), stage(1, dtype)) }],
          };
        },
        sizes,
        params: [],
      };
    },
    ...(vjp && { vjp }),
  };
}

const softmaxOp = alongAxis(
  "softmax",
  (x, greatest, total) => c.div(c.exp(c.sub(x, greatest)), total),
  ({ cotangents: [dy], outputs: [y], attrs: { axes } }) => [softmaxBack(dy as Tensor, y as Tensor, axes)],
);

const logSoftmaxOp = alongAxis(
  "logSoftmax",
  (x, greatest, total) => c.sub(c.sub(x, greatest), c.log(total)),
  ({ cotangents: [dy], outputs: [y], attrs }) => [
    applyOne(logSoftmaxBackOp, [dy as Tensor, y as Tensor], attrs),
  ],
);

/** A function of a row's two tensors and of a sum over the row, in one kernel. */
function withSum<A extends AlongAttrs>(
  name: string,
  summand: (dy: Expr, y: Expr) => Expr,
  value: (dy: Expr, y: Expr, sum: Expr, factor: Expr) => Expr,
  factorOf: (attrs: A) => number,
  vjp: (dz: Tensor, dy: Tensor, y: Tensor, attrs: A) => readonly Tensor[],
): Op<A> {
  return {
    name,
    infer: ([dy]) => [{ shape: (dy as Aval).shape, dtype: (dy as Aval).dtype }],
    lower([dy], attrs) {
      const { shape, dtype } = dy as Aval;
      const { grid, sizes, over, element } = along(shape, attrs.axes);
      return {
        kind: "loops",
        key: `${name} ${dtype} ${shape.length} ${attrs.axes.join()}`,
        body: () => {
          const [g, y] = [inputAt(0, dtype, element), inputAt(1, dtype, element)];
          return {
            name,
            params: [dtype],
            grid,
            stages: [{ over, op: "sum", value: summand(g, y), dtype }],
            writes: [{ over, at: element, value: value(g, y, stage(0, dtype), param(0, dtype)) }],
          };
        },
        sizes,
        params: [factorOf(attrs)],
      };
    },
    vjp: ({ cotangents: [dz], inputs: [dy, y], attrs }) =>
      vjp(dz as Tensor, dy as Tensor, y as Tensor, attrs),
  };
}

interface ScaledAttrs extends AlongAttrs {
  readonly scale: number;
}

const softmaxBackOp: Op<ScaledAttrs> = withSum<ScaledAttrs>(
  "softmax gradient",
  (dy, y) => c.mul(dy, y),
  (dy, y, sum, scale) => c.mul(scale, c.mul(y, c.sub(dy, sum))),
  ({ scale }) => scale,
  (dz, dy, y, { axes, scale }) => {
    const total = (t: Tensor): Tensor => t.mul(y).sum(axes, { keepdims: true });
    const byY = dz.mul(dy.sub(total(dy))).sub(dy.mul(total(dz)));
    return [softmaxBack(dz, y, axes, scale), scale === 1 ? byY : byY.mul(scale)];
  },
);

/** `scale y (dy - sum(dy y))`: the cotangent of what `y` is the softmax of, times a number. */
export function softmaxBack(dy: Tensor, y: Tensor, axes: readonly number[], scale = 1): Tensor {
  return applyOne(softmaxBackOp, [dy, y], { axes, scale });
}

/** `dy - exp(y) sum(dy)`, the cotangent of what `y` is the log-softmax of. */
const logSoftmaxBackOp: Op<AlongAttrs> = withSum<AlongAttrs>(
  "logSoftmax gradient",
  (dy) => dy,
  (dy, y, sum) => c.sub(dy, c.mul(c.exp(y), sum)),
  () => 1,
  (dz, dy, y, { axes }) => {
    const p = y.exp();
    const weighted = dz.mul(p);
    return [
      dz.sub(weighted.sum(axes, { keepdims: true })),
      weighted.mul(dy.sum(axes, { keepdims: true })).neg(),
    ];
  },
);

export function softmax(x: Tensor, axis: number): Tensor {
  return applyOne(softmaxOp, [x], { axes: oneAxis("softmax", x, axis) });
}

export function logSoftmax(x: Tensor, axis: number): Tensor {
  return applyOne(logSoftmaxOp, [x], { axes: oneAxis("logSoftmax", x, axis) });
}

function oneAxis(name: string, x: Tensor, axis: number): number[] {
  if (typeof axis !== "number") fail("invalid-argument", `${name}: name the axis, such as x.${name}(-1)`);
  return normalizeAxes(name, axis, x.ndim);
}

interface LogSumExpAttrs {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}

const logSumExpOp: Op<LogSumExpAttrs> = {
  name: "logsumexp",
  infer: ([x], { axes, keepdims }) => [reducedAval(floats("logsumexp", x as Aval), axes, keepdims)],
  lower([x], { axes, keepdims }) {
    const { shape, dtype } = x as Aval;
    const { grid, sizes, over, element, result } = along(shape, axes);
    return {
      kind: "loops",
      key: `logsumexp ${dtype} ${shape.length} ${axes.join()} ${keepdims}`,
      body: () => {
        // An infinite maximum is not subtracted: Infinity - Infinity would be NaN.
        const shift = (greatest: Expr): Expr => c.where(c.less(c.abs(greatest), Infinity), greatest, 0);
        return {
          name: "logsumexp",
          params: [],
          grid,
          stages: stages(inputAt(0, dtype, element), over, shift),
          writes: [
            { over: [], at: result(keepdims), value: c.add(c.log(stage(1, dtype)), shift(stage(0, dtype))) },
          ],
        };
      },
      sizes,
      params: [],
    };
  },
  // The softmax itself and not exp(x - y), whose difference loses digits where x is large.
  vjp({ cotangents: [dy], inputs: [x], attrs: { axes } }) {
    const kept = reducedShape((x as Tensor).shape, axes, true);
    return [applyOne(softmaxOp, [x as Tensor], { axes }).mul((dy as Tensor).reshape(kept))];
  },
};

export function logsumexp(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  const attrs = { axes: normalizeAxes("logsumexp", axes, x.ndim), keepdims: options.keepdims ?? false };
  return applyOne(logSumExpOp, [x], attrs);
}
