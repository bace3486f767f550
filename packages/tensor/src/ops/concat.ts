import {
  type Aval,
  axisIndex,
  calculus as c,
  constant,
  type DType,
  type Expr,
  fail,
  formatShape,
  inputAt,
  normalizeAxis,
  type Op,
  param,
  promote,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { asGradusTensor } from "../gradus-tensor.js";

/** As many inputs as one kernel takes: with the output, the least that a GPU must allow to bind. */
const MAX_INPUTS = 7;

const concatOp: Op<{ readonly axis: number }> = {
  name: "concat",

  infer(inputs, { axis }) {
    const first = inputs[0] as Aval;
    inputs.forEach((x, k) => {
      const fits =
        x.shape.length === first.shape.length && x.shape.every((n, i) => i === axis || n === first.shape[i]);
      if (!fits) {
        fail(
          "shape-mismatch",
          `concat: tensor ${k} is ${formatShape(x.shape)}, the first is ${formatShape(first.shape)}: sizes must be equal except along axis ${axis}`,
        );
      }
    });
    const total = inputs.reduce((sum, x) => sum + (x.shape[axis] as number), 0);
    return [{ shape: first.shape.map((n, i) => (i === axis ? total : n)), dtype: first.dtype }];
  },

  lower(inputs, { axis }, [out]) {
    const { shape, dtype } = out as Aval;
    const rank = shape.length;
    const count = inputs.length;
    let end = 0;
    const ends = inputs.map((x) => {
      end += x.shape[axis] as number;
      return end;
    });
    return {
      kind: "loops",
      key: `concat ${dtype} ${rank} ${axis} ${count}`,
      body: () => {
        const at = axisIndex(axis);
        let begin: Expr = constant(0, "i32");
        const parts = inputs.map((_, k) => {
          const own = Array.from({ length: rank }, (_, d) => (d === axis ? c.sub(at, begin) : axisIndex(d)));
          const guard = c.logicalAnd(c.greaterEqual(at, begin), c.less(at, param(k, "i32")));
          begin = param(k, "i32");
          return inputAt(k, dtype, own, guard);
        });
        const value = parts.reduceRight<Expr>(
          (rest, part, k) => (k === count - 1 ? part : c.where(c.less(at, param(k, "i32")), part, rest)),
          parts.at(-1) as Expr,
        );
        return {
          name: "concat",
          params: new Array<DType>(count).fill("i32"),
          grid: rank,
          stages: [],
          writes: [{ over: [], value }],
        };
      },
      sizes: shape,
      params: ends,
    };
  },

  vjp({ cotangents: [dy], inputs, attrs: { axis } }) {
    let begin = 0;
    return inputs.map((x) => {
      const end = begin + (x.shape[axis] as number);
      const part = (dy as Tensor).slice(...x.shape.slice(0, axis).map(() => null), [begin, end]);
      begin = end;
      return part;
    });
  },
};

/**
 * Joins tensors along an axis. All other sizes must be equal; dtypes are promoted.
 *
 * @throws `shape-mismatch`, `invalid-argument` for an empty list.
 *
 * @example
 * ```ts
 * import { concat, tensor } from "@gradus/tensor";
 * console.log(concat([tensor([1, 2]), tensor([3])])); // → Tensor f32[3] [1, 2, 3]
 * ```
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const joined = sameDType("concat", tensors);
  const first = joined[0] as Tensor;
  if (first.ndim === 0) fail("shape-mismatch", "concat: a tensor without axes cannot be joined. Use stack()");
  const at = normalizeAxis("concat", axis, first.ndim);
  if (joined.length === 1) return first;
  let parts: Tensor[] = joined;
  while (parts.length > 1) {
    const current = parts;
    const groups = Array.from({ length: Math.ceil(current.length / MAX_INPUTS) }, (_, g) =>
      current.slice(g * MAX_INPUTS, (g + 1) * MAX_INPUTS),
    );
    parts = groups.map((group) =>
      group.length === 1 ? (group[0] as Tensor) : applyOne(concatOp, group, { axis: at }),
    );
  }
  return parts[0] as Tensor;
}

/**
 * Joins tensors of one shape along a new axis.
 *
 * @example
 * ```ts
 * import { stack, tensor } from "@gradus/tensor";
 * console.log(stack([tensor([1, 2]), tensor([3, 4])], 1).toArray()); // → [ [ 1, 3 ], [ 2, 4 ] ]
 * ```
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const joined = sameDType("stack", tensors);
  const first = joined[0] as Tensor;
  joined.forEach((x, k) => {
    if (formatShape(x.shape) !== formatShape(first.shape)) {
      fail(
        "shape-mismatch",
        `stack: tensor ${k} is ${formatShape(x.shape)}, the first is ${formatShape(first.shape)}: all must be equal`,
      );
    }
  });
  const at = normalizeAxis("stack", axis, first.ndim + 1);
  return concat(
    joined.map((x) => x.unsqueeze(at)),
    at,
  );
}

function sameDType(op: string, tensors: readonly Tensor[]): Tensor[] {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    fail("invalid-argument", `${op}: expected a list of at least one tensor`);
  }
  for (const x of tensors) asGradusTensor(op, x);
  const dtype = tensors.map((x) => x.dtype).reduce(promote);
  return tensors.map((x) => x.cast(dtype));
}
