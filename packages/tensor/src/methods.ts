import {
  type Backend,
  cast as castExpr,
  type DType,
  dtypes,
  type Expr,
  fail,
  type IndexEntry,
  input,
  type NestedArray,
  type SliceRange,
  type Tensor,
  type TypedArray,
} from "@gradus/core";
import { applyOne } from "./apply.js";
import { upload } from "./create.js";
import { asGradusTensor, type GradusTensor } from "./gradus-tensor.js";
import { dataOf, itemOf, nest, readOf } from "./host.js";
import { avgPool } from "./ops/avg-pool.js";
import { conv, convTranspose } from "./ops/conv.js";
import { cummax, cummin, cumprod, cumsum, logcumsumexp } from "./ops/cumulate.js";
import { elementwise } from "./ops/elementwise.js";
import { gather, oneHot, scatterAdd } from "./ops/gather.js";
import { index } from "./ops/index.js";
import { indexSelect } from "./ops/index-select.js";
import { matmul } from "./ops/matmul.js";
import { maxPool } from "./ops/max-pool.js";
import { norm } from "./ops/norm.js";
import { all, any, argmax, argmin, max, mean, min, prod, sum } from "./ops/reduce.js";
import { adaptiveAvgPool, interpolate } from "./ops/resample.js";
import { flip, pad, slice } from "./ops/slice.js";
import { logSoftmax, logsumexp, softmax } from "./ops/softmax.js";
import { argsort, kthvalue, median, sort, topk } from "./ops/sort.js";
import { std, varianceOf } from "./ops/variance.js";
import { expand, flatten, permute, reshape, squeeze, transpose, unsqueeze } from "./ops/views.js";
import { aliasOf } from "./record.js";

type Functions = Record<string, (x: Tensor, ...rest: never[]) => unknown>;

/** `f(x, ...rest)` as the method `x.f(...rest)`. */
function methodsOf<T extends Functions>(functions: T): Record<keyof T, (...rest: never[]) => unknown> {
  const entries = Object.entries(functions).map(([name, f]) => [
    name,
    function (this: Tensor, ...rest: never[]): unknown {
      return f(this, ...rest);
    },
  ]);
  return Object.fromEntries(entries) as Record<keyof T, (...rest: never[]) => unknown>;
}

/** The methods of a tensor beside the elementwise ones. */
export const methods = methodsOf({
  sum,
  mean,
  prod,
  max,
  min,
  argmax,
  argmin,
  any,
  all,
  var: varianceOf,
  std,
  norm,
  logsumexp,
  cumsum,
  cumprod,
  logcumsumexp,
  cummax,
  cummin,
  sort,
  argsort,
  topk,
  kthvalue,
  median,
  softmax,
  logSoftmax,
  matmul,
  conv,
  convTranspose,
  maxPool,
  avgPool,
  adaptiveAvgPool,
  interpolate,
  reshape,
  transpose,
  permute,
  squeeze,
  unsqueeze,
  expand,
  index: (x: Tensor, ...entries: IndexEntry[]) => index(x, entries),
  indexSelect,
  slice: (x: Tensor, ...ranges: SliceRange[]) => slice(x, ranges),
  flip,
  flatten,
  pad,
  gather,
  scatterAdd,
  oneHot,
  cast,
  zerosLike: (x: Tensor) => x.engine.full(x.shape, 0, { dtype: x.dtype, device: x.device }),
  onesLike: (x: Tensor) => x.engine.full(x.shape, 1, { dtype: x.dtype, device: x.device }),
  detach: (x: Tensor) => aliasOf(asGradusTensor("detach", x)),
  to,
  read: (x: Tensor): Promise<TypedArray> => readOf(x as GradusTensor),
  data: (x: Tensor): TypedArray => dataOf(x as GradusTensor),
  item: (x: Tensor): number => itemOf(x as GradusTensor),
  toArray: (x: Tensor): NestedArray =>
    nest(dataOf(x as GradusTensor, "toArray"), x.shape, x.dtype === "bool"),
});

function cast(x: Tensor, dtype: DType): Tensor {
  if (!dtypes.includes(dtype))
    fail("dtype-mismatch", `cast: unknown dtype ${String(dtype)}. Use one of ${dtypes.join(", ")}`);
  if (x.dtype === dtype) return x;
  const name = `${x.dtype} to ${dtype}`;
  let expr = castExprs.get(name);
  if (expr === undefined) {
    expr = castExpr(input(0, x.dtype), dtype);
    castExprs.set(name, expr);
  }
  return applyOne(elementwise, [x], { name: "cast", expr, params: [] });
}

const castExprs = new Map<string, Expr>();

async function to(x: Tensor, device: Backend): Promise<Tensor> {
  if (x.device === device) return x;
  return upload(device, x.shape, x.dtype, await x.read());
}
