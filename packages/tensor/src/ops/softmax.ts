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
  ({ cotangents: [dy], outputs: [y], attrs: { axes } }) => {
    const weighted = (dy as Tensor).mul(y as Tensor);
    const total = weighted.sum(axes, { keepdims: true });
    return [weighted.sub((y as Tensor).mul(total))];
  },
);

const logSoftmaxOp = alongAxis(
  "logSoftmax",
  (x, greatest, total) => c.sub(c.sub(x, greatest), c.log(total)),
  ({ cotangents: [dy], outputs: [y], attrs: { axes } }) => {
    const total = (dy as Tensor).sum(axes, { keepdims: true });
    return [(dy as Tensor).sub((y as Tensor).exp().mul(total))];
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
