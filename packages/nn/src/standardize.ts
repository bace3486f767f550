import {
  type Aval,
  axisIndex,
  calculus as c,
  constant,
  type DType,
  type Expr,
  inputAt,
  isFloat,
  normalizeAxes,
  type Op,
  param,
  reducedShape,
  type Shape,
  stage,
  type Tensor,
} from "@gradus/core";

interface Attrs {
  /** Counted from the front, ascending. */
  readonly axes: readonly number[];
  readonly eps: number;
  /** Whether the mean is subtracted. */
  readonly center: boolean;
}

/**
 * `(x - mean) / sqrt(var + eps)` over the axes, with the biased variance; without `center` the mean counts as 0. One kernel
 * forward and one backward: nothing in between is stored but a number for each row.
 */
export function standardize(x: Tensor, axes: readonly number[], eps: number, center = true): Tensor {
  const source = isFloat(x.dtype) ? x : x.cast("f32");
  const attrs = { axes: normalizeAxes("standardize", axes, x.ndim), eps, center };
  return x.engine.apply(standardizeOp, [source], attrs)[0] as Tensor;
}

/** How a kernel walks rows: grid axes first, then those of a row. */
function walk(shape: Shape, axes: readonly number[]) {
  const kept = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = [...kept, ...axes];
  return {
    grid: kept.length,
    sizes: order.map((axis) => shape[axis] as number),
    over: axes.map((_, k) => kept.length + k),
    element: shape.map((_, axis) => axisIndex(order.indexOf(axis))),
    /** The row's place where its axes have size 1. */
    row: shape.map(
      (_, axis): Expr => (axes.includes(axis) ? constant(0, "i32") : axisIndex(order.indexOf(axis))),
    ),
    count: axes.reduce((n, axis) => n * (shape[axis] as number), 1),
  };
}

/** The standardised values, and what each row was multiplied by. */
const standardizeOp: Op<Attrs> = {
  name: "standardize",
  infer([x], { axes }) {
    const { shape, dtype } = x as Aval;
    return [
      { shape, dtype },
      { shape: reducedShape(shape, axes, true), dtype },
    ];
  },
  lower([x], { axes, eps, center }) {
    const { shape, dtype } = x as Aval;
    const { grid, sizes, over, element, row, count } = walk(shape, axes);
    return {
      kind: "loops",
      key: `standardize ${dtype} ${shape.length} ${axes.join()} ${center}`,
      body: () => {
        const value = inputAt(0, dtype, element);
        const [length, epsilon] = [param(0, dtype), param(1, dtype)];
        const centered = center ? c.sub(value, c.div(stage(0, dtype), length)) : value;
        const spread = stage(center ? 1 : 0, dtype);
        const factor = c.reciprocal(c.sqrt(c.add(c.div(spread, length), epsilon)));
        return {
          name: center ? "standardize" : "rms",
          params: [dtype, dtype] as DType[],
          grid,
          stages: [
            ...(center ? [{ over, op: "sum" as const, value, dtype }] : []),
            { over, op: "sum" as const, value: c.square(centered), dtype },
          ],
          writes: [
            { over, at: element, value: c.mul(centered, factor) },
            { over: [], at: row, value: factor },
          ],
        };
      },
      sizes,
      params: [count, eps],
    };
  },
  vjp({ cotangents: [dy, dfactor], outputs, attrs }) {
    const [y, factor] = outputs as [Tensor, Tensor];
    const terms: Tensor[] = [];
    if (dy !== undefined) terms.push(y.engine.apply(backOp, [dy, y, factor], attrs)[0] as Tensor);
    if (dfactor !== undefined) {
      const { count } = walk(y.shape, attrs.axes);
      terms.push(
        y.mul(
          factor
            .square()
            .mul(dfactor)
            .mul(-1 / count),
        ),
      );
    }
    return [terms.reduce((a, b) => a.add(b))];
  },
};

/** `factor (dy - mean(dy) - y mean(dy y))`, the gradient by x; linear in dy, and its own transpose there. */
const backOp: Op<Attrs> = {
  name: "standardize gradient",
  infer: ([dy]) => [{ shape: (dy as Aval).shape, dtype: (dy as Aval).dtype }],
  lower([dy], { axes, center }) {
    const { shape, dtype } = dy as Aval;
    const { grid, sizes, over, element, row, count } = walk(shape, axes);
    return {
      kind: "loops",
      key: `standardize gradient ${dtype} ${shape.length} ${axes.join()} ${center}`,
      body: () => {
        const [g, y] = [inputAt(0, dtype, element), inputAt(1, dtype, element)];
        const length = param(0, dtype);
        const along = c.mul(y, c.div(stage(0, dtype), length));
        const rest = center ? c.sub(c.sub(g, c.div(stage(1, dtype), length)), along) : c.sub(g, along);
        return {
          name: "standardize gradient",
          params: [dtype],
          grid,
          stages: [
            { over, op: "sum" as const, value: c.mul(g, y), dtype },
            ...(center ? [{ over, op: "sum" as const, value: g, dtype }] : []),
          ],
          writes: [{ over, at: element, value: c.mul(inputAt(2, dtype, row), rest) }],
        };
      },
      sizes,
      params: [count],
    };
  },
  vjp({ cotangents: [dz], inputs, attrs }) {
    const [z, g, y, factor] = [dz, ...inputs] as [Tensor, Tensor, Tensor, Tensor];
    const mean = (t: Tensor): Tensor => t.mean(attrs.axes, { keepdims: true });
    const back = z.engine.apply(backOp, [z, y, factor], attrs)[0] as Tensor;
    const along = mean(g.mul(y));
    const byY = z
      .mul(along)
      .add(g.mul(mean(z.mul(y))))
      .mul(factor)
      .neg();
    const inner = attrs.center ? g.sub(mean(g)).sub(y.mul(along)) : g.sub(y.mul(along));
    return [back, byY, z.mul(inner).sum(attrs.axes, { keepdims: true })];
  },
};
