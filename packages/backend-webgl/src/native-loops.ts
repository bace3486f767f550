import {
  axisIndex,
  axisSize,
  calculus as c,
  type DType,
  type Expr,
  type LoopKernel,
  load,
  type NativeKernel,
  param,
  type Scattering,
  type Stage,
  stage,
  substitute,
} from "@gradus/core";

/** A loop on a native's buffers: its kernel, and what a launch of it brings, given the native's sizes. */
export interface NativeLoop {
  readonly kernel: LoopKernel;
  launch(sizes: readonly number[]): { readonly sizes: readonly number[]; readonly params: readonly number[] };
}

/**
 * What a native computes, as loops: a shader writes one place only, so each element looks for what comes to it. Undefined where there
 * is no such way.
 */
export function nativeLoops(kernel: NativeKernel, rank: number): readonly NativeLoop[] | undefined {
  switch (kernel.native) {
    case "scatterAdd":
      return scatterAdd(kernel, rank / 2);
    case "scatterRows":
      return scatterRows(kernel);
    case "cumulate":
      return cumulate(kernel);
    default:
      return undefined;
  }
}

/** The axes are the base's, then the index's own along `axis`; the params are the index's shape. */
function scatterAdd(kernel: NativeKernel, rank: number): readonly NativeLoop[] {
  const along = Number(kernel.attrs.axis);
  const own = Array.from({ length: rank }, (_, axis) => axisIndex(axis));
  const from = own.map((position, axis) => (axis === along ? axisIndex(rank) : position));
  const indexShape = own.map((_, axis) => param(axis, "i32"));
  const inside = own
    .map((position, axis) => c.less(position, indexShape[axis] as Expr))
    .filter((_, axis) => axis !== along)
    .reduce<Expr | undefined>((all, one) => (all === undefined ? one : c.logicalAnd(all, one)), undefined);
  const place = flatten(from, indexShape);
  const scattered = scatter(kernel, "sum", {
    axes: rank + 1,
    params: rank,
    base: flatten(own, sizesOf(own)),
    target: own[along] as Expr,
    index: load(1, "i32", place, inside, -1),
    source: load(2, kernel.outputs[0] as DType, place, inside),
  });
  return [
    {
      kernel: scattered,
      launch: (sizes) => ({
        sizes: [...sizes.slice(0, rank), sizes[rank + along] as number],
        params: sizes.slice(rank),
      }),
    },
    {
      kernel: check(kernel, rank),
      launch: (sizes) => ({ sizes: sizes.slice(rank), params: [sizes[along] as number] }),
    },
  ];
}

/** The axes are the outer ones, the rows, the inner ones, then the source's rows. */
function scatterRows(kernel: NativeKernel): readonly NativeLoop[] {
  const [o, row, i, from] = [axisIndex(0), axisIndex(1), axisIndex(2), axisIndex(3)];
  const [outer, n, inner, k] = [axisSize(0), axisSize(1), axisSize(2), axisSize(3)];
  const isFull = kernel.attrs.full === true;
  const place = flatten([o, from, i], [outer, k, inner]);
  const scattered = scatter(kernel, kernel.attrs.op as Scattering, {
    axes: 4,
    params: 0,
    base: flatten([o, row, i], [outer, n, inner]),
    target: row,
    index: load(1, "i32", isFull ? place : from),
    source: load(2, kernel.outputs[0] as DType, place),
  });
  return [
    {
      kernel: scattered,
      launch: ([outer, n, k, inner]) => ({ sizes: [outer, n, inner, k] as number[], params: [] }),
    },
    {
      kernel: check(kernel, isFull ? 3 : 1),
      launch: ([outer, n, k, inner]) => ({
        sizes: (isFull ? [outer, k, inner] : [k]) as number[],
        params: [n as number],
      }),
    },
  ];
}

interface Scattered {
  /** How many there are: those of the base, then the one along which sources are looked through. */
  readonly axes: number;
  readonly params: number;
  /** Where the base's element is, and its number along the axis that the index means. */
  readonly base: Expr;
  readonly target: Expr;
  readonly index: Expr;
  readonly source: Expr;
}

function scatter(kernel: NativeKernel, op: Scattering, scattered: Scattered): LoopKernel {
  const { axes, params, base: place, target, index, source } = scattered;
  const dtype = kernel.outputs[0] as DType;
  const over = axes - 1;
  const hits = c.equal(index, target);
  const base = load(0, dtype, place);
  const found = stage(0, op === "set" ? "i32" : dtype);
  const [reduction, value, result] = ((): readonly [Stage["op"], Expr, Expr] => {
    switch (op) {
      case "sum":
        // A base of -0 stays as it is where nothing comes.
        return ["sum", c.where(hits, source, 0), c.where(c.equal(found, 0), base, c.add(base, found))];
      case "prod":
        return ["prod", c.where(hits, source, 1), c.mul(base, found)];
      case "max":
        return ["max", c.where(hits, source, base), c.maximum(base, found)];
      case "min":
        return ["min", c.where(hits, source, base), c.minimum(base, found)];
      case "set": {
        // Counted from 1: the last one stays, and where the greatest is 0 there was none.
        const last = c.maximum(0, c.sub(found, 1));
        const stays = substitute(source, (e) => (e.kind === "axis" && e.axis === over ? last : undefined));
        const number = c.where(hits, c.add(axisIndex(over), 1), 0);
        return ["max", number, c.where(c.lessEqual(found, 0), base, stays)];
      }
      default:
        return op satisfies never;
    }
  })();
  return {
    ...{ kind: "loop", name: kernel.name, inputs: kernel.inputs, outputs: kernel.outputs },
    params: new Array<DType>(params).fill("i32"),
    axes,
    grid: over,
    stages: [{ over: [over], op: reduction, value, dtype: found.dtype }],
    writes: [{ over: [], buffer: 0, index: place, value: result }],
  };
}

/** Looks whether all of an index is below the param. */
function check({ name, native, inputs }: NativeKernel, axes: number): LoopKernel {
  const own = Array.from({ length: axes }, (_, axis) => axisIndex(axis));
  const index = load(1, "i32", flatten(own, sizesOf(own)));
  const holds = c.logicalAnd(c.greaterEqual(index, 0), c.less(index, param(0, "i32")));
  const message = `${native}: an index is out of range for its axis`;
  return {
    ...{ kind: "loop", name, inputs, outputs: [], params: ["i32"], axes, grid: axes, stages: [], writes: [] },
    checks: [{ over: [], holds, message }],
  };
}

/** The axes are the outer ones, the position, the inner ones, then how far one looks back from it. */
function cumulate({ name, inputs, outputs, attrs }: NativeKernel): readonly NativeLoop[] | undefined {
  const dtype = inputs[0] as DType;
  const [o, position, i, back] = [axisIndex(0), axisIndex(1), axisIndex(2), axisIndex(3)];
  const shape = sizesOf([o, position, i]);
  const value = load(0, dtype, flatten([o, c.maximum(0, c.sub(position, back)), i], shape));
  const isThere = c.lessEqual(back, position);
  const op = attrs.op as string;
  const made = ((): readonly [Stage["op"], Expr, Expr] | undefined => {
    switch (op) {
      case "sum":
        return ["sum", c.where(isThere, value, 0), stage(0, dtype)];
      case "prod":
        return ["prod", c.where(isThere, value, 1), stage(0, dtype)];
      case "argmax":
      case "argmin":
        // The first one backwards. Beyond the beginning is the first element again, which is no news.
        return [op, value, c.sub(position, stage(0, "i32"))];
      default:
        return undefined;
    }
  })();
  if (made === undefined) return undefined;
  const [reduction, term, result] = made;
  const total = reduction === "sum" || reduction === "prod" ? dtype : "i32";
  return [
    {
      kernel: {
        ...{ kind: "loop", name, inputs, outputs, params: [], axes: 4, grid: 3 },
        stages: [{ over: [3], op: reduction, value: term, dtype: total }],
        writes: [{ over: [], buffer: 0, index: flatten([o, position, i], shape), value: result }],
      },
      launch: ([outer, n, inner]) => ({ sizes: [outer, n, inner, n] as number[], params: [] }),
    },
  ];
}

function sizesOf(axes: readonly Expr[]): Expr[] {
  return axes.map((_, axis) => axisSize(axis));
}

/** The row-major number of a point. */
function flatten(at: readonly Expr[], shape: readonly Expr[]): Expr {
  return at.reduce((outer, position, axis) => c.add(c.mul(outer, shape[axis] as Expr), position));
}
