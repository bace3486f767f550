import {
  axisIndex,
  axisSize,
  type ContractKernel,
  calculus as c,
  type DType,
  type Expr,
  type LoopKernel,
  load,
  param,
  resultDType,
  type ScalarOpName,
  type StageReduction,
  scalarOps,
  stage,
} from "@gradus/core";

/* The kernels that the suite runs, and their parts. */

/** A row of the scalar table, applied. */
export function apply(name: ScalarOpName, ...args: Expr[]): Expr {
  return { kind: "op", op: name, args, dtype: resultDType(scalarOps[name], (args.at(-1) as Expr).dtype) };
}

/** The position of a point in a dense row-major array over these axes. */
export function flat(...axes: readonly number[]): Expr {
  const [first = 0, ...rest] = axes;
  return rest.reduce<Expr>((at, axis) => c.add(c.mul(at, axisSize(axis)), axisIndex(axis)), axisIndex(first));
}

/** `offset + sum of stride * axis`, the offset and the strides being the parameters from `first` on. */
export function strided(axes: readonly number[], first: number): Expr {
  return axes.reduce<Expr>(
    (at, axis, k) => c.add(at, c.mul(axisIndex(axis), param(first + 1 + k, "i32"))),
    param(first, "i32"),
  );
}

/** A loop kernel of defaults: no inputs, params, stages or inner axes. */
export function loops(
  parts: Pick<LoopKernel, "outputs" | "axes" | "writes"> & Partial<LoopKernel>,
): LoopKernel {
  return { kind: "loop", name: "test", inputs: [], params: [], stages: [], grid: parts.axes, ...parts };
}

/** One output of dense operands, element by element. */
export function elementwise(inputs: readonly DType[], value: (...operands: Expr[]) => Expr): LoopKernel {
  const result = value(...inputs.map((dtype, k) => load(k, dtype, axisIndex(0))));
  return loops({
    name: "elementwise",
    inputs,
    outputs: [result.dtype],
    axes: 1,
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value: result }],
  });
}

/** A dense copy of an operand that lies in any way: params are its offset and a stride for each axis. */
export function copyStrided(dtype: DType, rank: number): LoopKernel {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return loops({
    name: "copy",
    inputs: [dtype],
    outputs: [dtype],
    params: new Array<DType>(rank + 1).fill("i32"),
    axes: rank,
    writes: [{ over: [], buffer: 0, index: flat(...axes), value: load(0, dtype, strided(axes, 0)) }],
  });
}

/** Which way a reduction runs over a dense array: along rows, along columns (the last axis is kept), or over all. */
export type Direction = "rows" | "columns" | "all";

/** Sizes are [kept, reduced], or [reduced] for all. */
export function reduction(op: StageReduction, dtype: DType, direction: Direction): LoopKernel {
  const result: DType = op === "argmax" || op === "argmin" ? "i32" : dtype;
  const inner = direction === "all" ? 0 : 1;
  const at = direction === "all" ? axisIndex(0) : direction === "rows" ? flat(0, 1) : flat(1, 0);
  return loops({
    name: op,
    inputs: [dtype],
    outputs: [result],
    axes: inner + 1,
    grid: inner,
    stages: [{ over: [inner], op, value: load(0, dtype, at), dtype: result }],
    writes: [
      {
        over: [],
        buffer: 0,
        index: direction === "all" ? c.mul(axisSize(0), 0) : axisIndex(0),
        value: stage(0, result),
      },
    ],
  });
}

/** Softmax of the rows of a [rows, columns] array: two stages, and a write over the columns. */
export function softmax(dtype: DType): LoopKernel {
  const x = load(0, dtype, flat(0, 1));
  const exponential = c.exp(c.sub(x, stage(0, dtype)));
  return loops({
    name: "softmax",
    inputs: [dtype],
    outputs: [dtype],
    axes: 2,
    grid: 1,
    stages: [
      { over: [1], op: "max", value: x, dtype },
      { over: [1], op: "sum", value: exponential, dtype },
    ],
    writes: [{ over: [1], buffer: 0, index: flat(0, 1), value: c.div(exponential, stage(1, dtype)) }],
  });
}

/**
 * A step of Adam: inputs parameter, gradient, first and second moment; outputs parameter and moments. Params are the
 * learning rate, the two decays and the two bias corrections.
 */
export function adam(dtype: DType): LoopKernel {
  const at = axisIndex(0);
  const [p, g, m, v] = [0, 1, 2, 3].map((k) => load(k, dtype, at)) as [Expr, Expr, Expr, Expr];
  const [rate, b1, b2, c1, c2] = [0, 1, 2, 3, 4].map((k) => param(k, dtype)) as [
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
  ];
  const first = c.add(c.mul(b1, m), c.mul(c.sub(1, b1), g));
  const second = c.add(c.mul(b2, v), c.mul(c.sub(1, b2), c.square(g)));
  const step = c.div(c.mul(rate, c.div(first, c1)), c.add(c.sqrt(c.div(second, c2)), 1e-8));
  return loops({
    name: "adam",
    inputs: [dtype, dtype, dtype, dtype],
    outputs: [dtype, dtype, dtype],
    params: [dtype, dtype, dtype, dtype, dtype],
    axes: 1,
    writes: [c.sub(p, step), first, second].map((value, buffer) => ({ over: [], buffer, index: at, value })),
  });
}

/** Picks `x[index[i]]`, the index clamped; an index outside of the array fails the check. */
export function checkedGather(dtype: DType, message: string): LoopKernel {
  const position = load(1, "i32", axisIndex(0));
  const size = param(0, "i32");
  const inside = c.logicalAnd(c.greaterEqual(position, 0), c.less(position, size));
  const clamped = c.maximum(0, c.minimum(position, c.sub(size, 1)));
  return loops({
    name: "gather",
    inputs: [dtype, "i32"],
    outputs: [dtype],
    params: ["i32"],
    axes: 1,
    writes: [{ over: [], buffer: 0, index: axisIndex(0), value: load(0, dtype, clamped) }],
    checks: [{ over: [], holds: inside, message }],
  });
}

export interface MatmulOptions {
  readonly dtype?: DType;
  readonly accumulate?: DType;
  /** Further inputs beside the two operands. */
  readonly inputs?: readonly DType[];
  /** The value that is written, of the sum. Default: the sum. */
  readonly epilogue?: (sum: Expr) => Expr;
}

/**
 * Matrix products of a batch. Sizes are [batch, m, n, k]; params are offset and strides of a over (batch, m, k), and of
 * b over (batch, k, n). The output is dense.
 */
export function matmul({
  dtype = "f32",
  accumulate = dtype,
  inputs = [],
  epilogue,
}: MatmulOptions = {}): ContractKernel {
  const sum = stage(0, accumulate);
  const value = epilogue === undefined ? sum : epilogue(sum);
  return {
    kind: "contract",
    name: "matmul",
    inputs: [dtype, dtype, ...inputs],
    outputs: [value.dtype],
    params: new Array<DType>(8).fill("i32"),
    groups: { batch: 1, m: 1, n: 1, k: 1 },
    a: load(0, dtype, strided([0, 1, 3], 0)),
    b: load(1, dtype, strided([0, 3, 2], 4)),
    accumulate,
    writes: [{ buffer: 0, index: flat(0, 1, 2), value }],
  };
}

/** A two-dimensional convolution, channels last, by index expressions alone. */
export interface Convolution {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly window: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** Params are height, width, stride, padding, dilation; sizes are [batch, oh, ow, filters, kh, kw, channels]. */
export function convolution(dtype: DType): ContractKernel {
  const [height, width, stride, padding, dilation] = [0, 1, 2, 3, 4].map((k) => param(k, "i32")) as [
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
  ];
  const [BATCH, OH, OW, FILTER, KH, KW, CHANNEL] = [0, 1, 2, 3, 4, 5, 6] as const;
  const along = (out: number, window: number): Expr =>
    c.sub(c.add(c.mul(axisIndex(out), stride), c.mul(axisIndex(window), dilation)), padding);
  const [y, x] = [along(OH, KH), along(OW, KW)];
  const inside = c.logicalAnd(
    c.logicalAnd(c.greaterEqual(y, 0), c.less(y, height)),
    c.logicalAnd(c.greaterEqual(x, 0), c.less(x, width)),
  );
  const row = c.add(c.mul(c.add(c.mul(axisIndex(BATCH), height), y), width), x);
  return {
    kind: "contract",
    name: "convolution",
    inputs: [dtype, dtype],
    outputs: [dtype],
    params: ["i32", "i32", "i32", "i32", "i32"],
    groups: { batch: 0, m: 3, n: 1, k: 3 },
    a: load(0, dtype, c.add(c.mul(row, axisSize(CHANNEL)), axisIndex(CHANNEL)), inside, 0),
    b: load(1, dtype, flat(FILTER, KH, KW, CHANNEL)),
    accumulate: dtype,
    writes: [{ buffer: 0, index: flat(BATCH, OH, OW, FILTER), value: stage(0, dtype) }],
  };
}
