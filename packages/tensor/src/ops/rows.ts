import { type Aval, axisIndex, inputAt, type Op, type Scattering, sizeOf, type Tensor } from "@gradus/core";
import { applyOne } from "../apply.js";
import { everyBatched } from "../batching/every-batched.js";
import { pickBody } from "./pick-body.js";

/* Whole rows of an axis, chosen by a vector: the same for all other axes, so no index is written out per element. */

interface AxisAttrs {
  readonly axis: number;
}

const takeOp: Op<AxisAttrs> = {
  name: "indexSelect",
  infer: ([x, index], { axis }) => {
    const { shape, dtype } = x as Aval;
    return [{ shape: shape.map((n, k) => (k === axis ? ((index as Aval).shape[0] as number) : n)), dtype }];
  },
  lower([x], { axis }, [out]) {
    const { shape, dtype } = x as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `indexSelect ${dtype} ${rank} ${axis}`,
      body: () => pickBody("indexSelect", dtype, rank, axis, inputAt(1, "i32", [axisIndex(axis)])),
      sizes: (out as Aval).shape,
      params: [shape[axis] as number],
    };
  },
  vjp: ({ cotangents: [dy], inputs: [x, index], attrs: { axis } }) => [
    scatterRows((x as Tensor).zerosLike(), axis, index as Tensor, dy as Tensor, "sum"),
    undefined,
  ],
};

interface ScatterAttrs extends AxisAttrs {
  readonly op: Scattering;
}

const scatterOp: Op<ScatterAttrs> = {
  name: "scatterRows",
  infer: ([x]) => [{ shape: (x as Aval).shape, dtype: (x as Aval).dtype }],
  lower([x, index], { axis, op }) {
    const { dtype, shape } = x as Aval;
    const full = (index as Aval).shape.length > 1 || shape.length === 1;
    return {
      kind: "native",
      key: `scatterRows ${op} ${dtype} ${full}`,
      kernel: () => ({
        kind: "native",
        native: "scatterRows",
        name: "scatterRows",
        inputs: [dtype, "i32", dtype],
        outputs: [dtype],
        params: [],
        attrs: { op, full },
      }),
      sizes: [
        sizeOf(shape.slice(0, axis)),
        shape[axis] as number,
        (index as Aval).shape[full ? axis : 0] as number,
        sizeOf(shape.slice(axis + 1)),
      ],
    };
  },
  batch(context) {
    const [base, , source] = everyBatched(context) as [Tensor, Tensor, Tensor];
    const { axis, op } = context.attrs;
    const index = context.inputs[1] as Tensor;
    const attrs = { axis: axis + 1, op };
    // One row of positions for all examples stays one; else there is one for each element.
    if (context.batched[1] !== true && index.ndim === 1) return { inputs: [base, index, source], attrs };
    const own = context.batched[1] === true ? index : index.unsqueeze(0);
    const isRow = own.ndim === 2;
    const aligned = isRow
      ? own.reshape(
          source.shape.map((_, k) => (k === 0 || k === axis + 1 ? (own.shape[Math.min(k, 1)] as number) : 1)),
        )
      : own;
    return { inputs: [base, aligned.expand(source.shape), source], attrs };
  },
  vjp({ cotangents: [dy], inputs: [x, index, source], outputs: [y], attrs: { axis, op }, needs }) {
    const [cotangent, at] = [dy as Tensor, index as Tensor];
    const [base, added] = [x as Tensor, source as Tensor];
    const back = (t: Tensor): Tensor => takeRows(t, axis, at);
    const scatter = (t: Tensor, from: Tensor, how: Scattering): Tensor => scatterRows(t, axis, at, from, how);
    switch (op) {
      case "sum":
        return [cotangent, undefined, needs[2] === true ? back(cotangent) : undefined];
      case "set": {
        const kept = scatter(cotangent, added.zerosLike(), "set");
        if (needs[2] !== true) return [kept, undefined, undefined];
        // Of several at one place the last one stays: the others have no influence.
        const order = numbered(added, axis);
        const last = scatter(base.zerosLike().cast("i32").sub(1), order, "set");
        return [kept, undefined, back(last).eq(order).where(back(cotangent), 0)];
      }
      case "prod": {
        // Each factor's share is the product of the others: of all, divided, where none is zero; of the rest, where one is.
        const isZero = (t: Tensor): Tensor => t.eq(0);
        const nonZero = (t: Tensor): Tensor => isZero(t).where(1, t);
        const count = (t: Tensor): Tensor => isZero(t).cast("i32");
        const rest = scatter(nonZero(base), nonZero(added), "prod");
        const zeros = scatter(count(base), count(added), "sum");
        const share = (t: Tensor, product: Tensor, among: Tensor, g: Tensor): Tensor => {
          const others = among.sub(count(t));
          return others
            .eq(0)
            .where(product.div(nonZero(t)), 0)
            .mul(g);
        };
        return [
          share(base, rest, zeros, cotangent),
          undefined,
          needs[2] === true ? share(added, back(rest), back(zeros), back(cotangent)) : undefined,
        ];
      }
      default: {
        // Equal shares to all extreme elements, the base's among them.
        const result = y as Tensor;
        const hits = (t: Tensor, extreme: Tensor): Tensor =>
          t.eq(extreme).logicalOr(t.isNaN()).cast(base.dtype);
        const [own, others] = [hits(base, result), hits(added, back(result))];
        const each = cotangent.div(scatter(own, others, "sum"));
        return [own.mul(each), undefined, needs[2] === true ? others.mul(back(each)) : undefined];
      }
    }
  },
};

/** 0, 1, ... along an axis, in the shape of x. */
function numbered(x: Tensor, axis: number): Tensor {
  const range = x.engine.arange(0, x.shape[axis] as number, 1, { dtype: "i32", device: x.device });
  return range.reshape(x.shape.map((n, k) => (k === axis ? n : 1))).expand(x.shape);
}

/** The rows of an axis that an index names: a vector, or an index for each element of a result of x's other sizes. */
export function takeRows(x: Tensor, axis: number, index: Tensor): Tensor {
  if (index.ndim > 1) return x.gather(axis, index);
  return applyOne(takeOp, [x, index], { axis });
}

/** `x`, with the rows of `source` joined to those that the index names. */
export function scatterRows(x: Tensor, axis: number, index: Tensor, source: Tensor, op: Scattering): Tensor {
  return applyOne(scatterOp, [x, index, source], { axis, op });
}
