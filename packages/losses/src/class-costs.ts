import {
  type Aval,
  axisIndex,
  axisSize,
  calculus as c,
  cast,
  constant,
  type DType,
  type Expr,
  inputAt,
  type LoopBody,
  type LoweredWrite,
  type Op,
  param,
  type Stage,
  stage,
  type Tensor,
} from "@gradus/core";

export interface ClassCostAttrs {
  /** The axis of the classes. */
  readonly axis: number;
  /** The class index of targets that cost nothing. */
  readonly ignoreIndex: number;
  /** The part of each target that is spread evenly over the classes. */
  readonly smoothing: number;
  /** Whether the gradient is computed along with the costs. */
  readonly slope: boolean;
}

/**
 * The cross-entropy of logits `[N, C, ...]` and class indices `[N, ...]`, one number for each index: minus the
 * logarithm of the softmax at the class, 0 where the target is ignored.
 *
 * Costs and gradient are one pass over each row: its greatest logit, the sum of the exponentials below it, then both
 * results. The class is looked up for the cost and compared with the position for the gradient, so that nothing of
 * C numbers is made per target, whatever C.
 */
export function classCosts(logits: Tensor, targets: Tensor, attrs: Omit<ClassCostAttrs, "slope">): Tensor {
  const slope = logits.history?.levels.some((level) => level.open) ?? false;
  return logits.engine.apply(crossEntropyOp, [logits, targets], { ...attrs, slope })[0] as Tensor;
}

const crossEntropyOp: Op<ClassCostAttrs> = {
  name: "crossEntropy",

  infer: ([x, targets], { slope }) => {
    const { dtype, shape } = x as Aval;
    const costs = { shape: (targets as Aval).shape, dtype };
    return slope ? [costs, { shape, dtype }] : [costs];
  },

  lower([x], { axis, ignoreIndex, smoothing, slope }) {
    const { shape, dtype } = x as Aval;
    const kept = shape.flatMap((_, i) => (i === axis ? [] : [i]));
    return {
      kind: "loops",
      key: `crossEntropy ${dtype} ${shape.length} ${axis} ${smoothing > 0} ${slope}`,
      body: () => crossEntropyBody(dtype, shape.length, axis, smoothing > 0, slope),
      sizes: [...kept, axis].map((i) => shape[i] as number),
      params: [ignoreIndex, ...(smoothing > 0 ? [smoothing] : [])],
    };
  },

  vjp({ cotangents: [dCosts, dSlope], inputs: [x, targets], outputs: [, slope], attrs, needs }) {
    const { axis, ignoreIndex } = attrs;
    if (needs[0] !== true) return [];
    const ignored = (targets as Tensor).eq(ignoreIndex);
    // Not even infinity times 0 passes through an ignored target: a mean of nothing has gradient 0.
    const first =
      dCosts === undefined ? undefined : (slope as Tensor).mul(ignored.where(0, dCosts).unsqueeze(axis));
    if (dSlope === undefined) return [first];
    // Whatever the target, the gradient's derivative is that of the softmax.
    const probabilities = ignored.unsqueeze(axis).where(0, (x as Tensor).softmax(axis));
    const weighted = dSlope.mul(probabilities);
    const second = weighted.sub(probabilities.mul(weighted.sum(axis, { keepdims: true })));
    return [first === undefined ? second : first.add(second)];
  },
};

/** The grid is the targets' axes; the classes are the one inner axis. */
function crossEntropyBody(
  dtype: DType,
  rank: number,
  axis: number,
  smoothed: boolean,
  slope: boolean,
): LoopBody {
  const grid = rank - 1;
  const own = axisIndex(grid);
  const coordinates = (onClassAxis: Expr): Expr[] =>
    Array.from({ length: rank }, (_, i) => (i === axis ? onClassAxis : axisIndex(i < axis ? i : i - 1)));
  const row = Array.from({ length: grid }, (_, i) => axisIndex(i));
  const target = inputAt(1, "i32", row);
  const classes = axisSize(grid);
  const ignored = c.equal(target, param(0, "i32"));
  // Within the classes, so that nothing is read out of bounds; the check reports other indices.
  const index = c.maximum(0, c.minimum(target, c.sub(classes, 1)));
  const x = inputAt(0, dtype, coordinates(own));
  const [greatest, total] = [stage(0, dtype), stage(1, dtype)];
  const stages: Stage[] = [
    { over: [grid], op: "max", value: x, dtype },
    { over: [grid], op: "sum", value: c.exp(c.sub(x, greatest)), dtype },
  ];
  const logTotal = c.log(total);
  let cost = c.sub(logTotal, c.sub(inputAt(0, dtype, coordinates(index)), greatest));
  let wanted = c.where(c.equal(own, index), constant(1, dtype), constant(0, dtype));
  if (smoothed) {
    const smoothing = param(1, dtype);
    const spread = c.div(smoothing, cast(classes, dtype));
    stages.push({ over: [grid], op: "sum", value: c.sub(x, greatest), dtype });
    const every = c.sub(c.mul(smoothing, logTotal), c.mul(spread, stage(2, dtype)));
    cost = c.add(c.mul(c.sub(1, smoothing), cost), every);
    wanted = c.add(c.mul(c.sub(1, smoothing), wanted), spread);
  }
  const writes: LoweredWrite[] = [{ over: [], at: row, value: c.where(ignored, 0, cost) }];
  if (slope) {
    const probability = c.div(c.exp(c.sub(x, greatest)), total);
    const value = c.where(ignored, 0, c.sub(probability, wanted));
    writes.push({ over: [grid], at: coordinates(own), value });
  }
  return {
    name: "crossEntropy",
    params: smoothed ? ["i32", dtype] : ["i32"],
    grid,
    stages,
    writes,
    checks: [
      {
        over: [],
        holds: c.logicalOr(ignored, c.logicalAnd(c.greaterEqual(target, 0), c.less(target, classes))),
        message: "crossEntropy: a target is not a class",
      },
    ],
  };
}
