import {
  type Aval,
  type Cumulation,
  fail,
  isFloat,
  normalizeAxis,
  type Op,
  type Selection,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";

/* Running totals along an axis: each element becomes what the elements up to it make together. */

interface CumulateAttrs {
  readonly op: Cumulation;
  readonly axis: number;
}

const cumulateOp: Op<CumulateAttrs> = {
  name: "cumulate",
  infer: ([x], { op }) => {
    const { shape, dtype } = x as Aval;
    return [{ shape, dtype: op === "argmax" || op === "argmin" ? "i32" : dtype }];
  },
  lower([x], { op, axis }, [out]) {
    const { dtype, shape } = x as Aval;
    return {
      kind: "native",
      key: `cumulate ${op} ${dtype}`,
      kernel: () => ({
        kind: "native",
        native: "cumulate",
        name: `cumulate ${op}`,
        inputs: [dtype],
        outputs: [(out as Aval).dtype],
        params: [],
        attrs: { op },
      }),
      sizes: [sizeOf(shape.slice(0, axis)), shape[axis] as number, sizeOf(shape.slice(axis + 1))],
    };
  },
  batch: ({ inputs, attrs: { op, axis } }) => ({ inputs, attrs: { op, axis: axis + 1 } }),
  vjp({ cotangents: [dy], inputs: [x], outputs: [y], attrs: { op, axis } }) {
    const [source, result, cotangent] = [x as Tensor, y as Tensor, dy as Tensor];
    if (op === "sum") return [cumulate("sum", cotangent.flip(axis), axis).flip(axis)];
    if (op === "prod") {
      // Of each later product dy's share, without this element: what comes before it times what comes after it.
      const before = shifted(result, axis, -1, 1);
      return [before.mul(affineScan(shifted(source, axis, 1), cotangent, axis))];
    }
    // exp(x - y) for the sum of all later y. Their quotients are at most 1, so nothing overflows.
    const carried = affineScan(ratio(result, shifted(result, axis, 1, Infinity)), cotangent, axis);
    return [ratio(source, result).mul(carried)];
  },
};

/** `exp(a - b)`; 0 where a is -Infinity, whatever b is. */
function ratio(a: Tensor, b: Tensor): Tensor {
  const none = a.eq(-Infinity);
  return none.where(0, none.where(0, a).sub(none.where(0, b)).exp());
}

/** `h[i] = b[i] + a[i] h[i + 1]` along an axis, in log2(n) steps of ordinary operations. */
function affineScan(a: Tensor, b: Tensor, axis: number): Tensor {
  let [factor, sum] = [a, b];
  for (let step = 1; step < (a.shape[axis] as number); step *= 2) {
    sum = sum.add(factor.mul(shifted(sum, axis, step)));
    factor = factor.mul(shifted(factor, axis, step));
  }
  return sum;
}

/** `x[i + by]` along an axis, `fill` behind its ends. */
function shifted(x: Tensor, axis: number, by: number, fill = 0): Tensor {
  return x.pad(
    x.shape.map((_, k) => (k === axis ? ([-by, by] as const) : ([0, 0] as const))),
    fill,
  );
}

function cumulate(op: Cumulation, x: Tensor, axis: number): Tensor {
  return applyOne(cumulateOp, [x], { op, axis });
}

function running(name: string, op: Cumulation, x: Tensor, axis: number): Tensor {
  const at = axisOf(name, x, axis);
  if (op === "logsumexp" && !isFloat(x.dtype))
    fail("dtype-mismatch", `${name}: expected floats, got ${x.dtype}. Convert first: x.cast("f32")`);
  const numbers = x.dtype === "bool" ? x.cast("i32") : x;
  return x.ndim === 0 ? numbers : cumulate(op, numbers, at);
}

export const cumsum = (x: Tensor, axis: number): Tensor => running("cumsum", "sum", x, axis);
export const cumprod = (x: Tensor, axis: number): Tensor => running("cumprod", "prod", x, axis);
export const logcumsumexp = (x: Tensor, axis: number): Tensor =>
  running("logcumsumexp", "logsumexp", x, axis);

function extreme(name: string, op: Cumulation, x: Tensor, axis: number): Selection {
  const at = axisOf(name, x, axis);
  const indices = x.ndim === 0 ? cumulate(op, x.reshape([1]), 0).reshape([]) : cumulate(op, x, at);
  return { values: x.gather(at, indices), indices };
}

export const cummax = (x: Tensor, axis: number): Selection => extreme("cummax", "argmax", x, axis);
export const cummin = (x: Tensor, axis: number): Selection => extreme("cummin", "argmin", x, axis);

function axisOf(name: string, x: Tensor, axis: number): number {
  if (typeof axis !== "number") fail("invalid-argument", `${name}: name the axis, such as x.${name}(-1)`);
  return normalizeAxis(name, axis, Math.max(1, x.ndim));
}
