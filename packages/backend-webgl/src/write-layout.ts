import { affineIn, dependsOnAxis, type Expr, postOrder } from "@gradus/core";

/** Where the points of some axes are written: at `offset + sum of stride * axis`. */
export interface WriteLayout {
  readonly offset: number;
  /** In the order of the axes that were asked for. */
  readonly strides: readonly number[];
  /** For each axis the next larger stride, within which its own steps stay. */
  readonly moduli: readonly number[];
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
  // From the least stride to the greatest: the span of those before must fit between two steps.
  const order = axes.map((_, k) => k).filter((k) => (sizes[axes[k] as number] as number) > 1);
  order.sort((a, b) => Math.abs(strides[a] as number) - Math.abs(strides[b] as number));
  let span = 1;
  let isDense = true;
  const moduli = new Array<number>(axes.length).fill(1);
  order.forEach((k, position) => {
    const stride = Math.abs(strides[k] as number);
    if (stride < span) span = Infinity;
    if (stride !== span) isDense = false;
    if ((strides[k] as number) < 0)
      offset = (offset as number) + (strides[k] as number) * ((sizes[axes[k] as number] as number) - 1);
    const next = order[position + 1];
    span += stride * ((sizes[axes[k] as number] as number) - 1);
    moduli[k] = next === undefined ? span : Math.abs(strides[next] as number);
  });
  if (!Number.isFinite(span)) return undefined;
  const used = strides.map((stride, k) => (order.includes(k) ? stride : 1));
  return { offset, strides: used, moduli, span, isDense };
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
