import { affineIn, dependsOnAxis, type Expr, postOrder } from "@gradus/core";

/** Where the points of some axes are written: at `offset + sum of stride * axis`. */
export interface WriteLayout {
  readonly offset: number;
  /** In the order of the axes that were asked for. */
  readonly strides: readonly number[];
  /** Those of more than one point, by their places among the axes: the one with the greatest stride first. */
  readonly order: readonly number[];
  /** How many elements lie between the first and the last that is written, both included. */
  readonly span: number;
  /** Whether each of these elements is written. */
  readonly isDense: boolean;
}

/**
 * How an index that is affine lies in memory: a card computes each element of its result by itself, so where an element is written
 * has to be turned into which point writes it. Undefined where that cannot be: places that come from data, and layouts
 * whose axes overlap.
 */
export function writeLayout(
  index: Expr,
  axes: readonly number[],
  sizes: readonly number[],
  params: readonly number[],
): WriteLayout | undefined {
  let offset = evaluate(index, sizes, params);
  if (offset === undefined) return undefined;
  const strides: number[] = [];
  for (const axis of axes) {
    const affine = affineIn(index, axis);
    if (affine === undefined || axes.some((other) => dependsOnAxis(affine.stride, other))) return undefined;
    const stride = evaluate(affine.stride, sizes, params);
    if (stride === undefined) return undefined;
    strides.push(stride);
  }
  const order = axes.map((_, k) => k).filter((k) => (sizes[axes[k] as number] as number) > 1);
  order.sort((a, b) => Math.abs(strides[b] as number) - Math.abs(strides[a] as number));
  // From the least stride to the greatest: the span of those before must fit between two steps.
  let span = 1;
  let isDense = true;
  for (const k of [...order].reverse()) {
    const stride = strides[k] as number;
    if (Math.abs(stride) < span) return undefined;
    if (Math.abs(stride) !== span) isDense = false;
    const last = (sizes[axes[k] as number] as number) - 1;
    if (stride < 0) offset += stride * last;
    span += Math.abs(stride) * last;
  }
  return { offset, strides, order, span, isDense };
}

/** Whether where elements are written comes from data. */
export function dependsOnData(index: Expr): boolean {
  return postOrder([index]).some(({ kind }) => kind === "load" || kind === "stage");
}

/** The value of an integer expression where all axes are 0; undefined where it depends on data. */
function evaluate(e: Expr, sizes: readonly number[], params: readonly number[]): number | undefined {
  switch (e.kind) {
    case "const":
      return e.value;
    case "axis":
      return 0;
    case "size":
      return sizes[e.axis];
    case "param":
      return params[e.index];
    case "op": {
      const [a, b] = e.args.map((arg) => evaluate(arg, sizes, params)) as [
        number | undefined,
        number | undefined,
      ];
      if (a === undefined || (e.args.length > 1 && b === undefined)) return undefined;
      return operations[e.op]?.(a, b as number);
    }
    default:
      return undefined;
  }
}

const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  neg: (a) => -a,
  idiv: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  imod: (a, b) => (b === 0 ? 0 : a % b),
  maximum: Math.max,
  minimum: Math.min,
};
