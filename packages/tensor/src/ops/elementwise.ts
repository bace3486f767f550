import {
  type Aval,
  broadcastShapes,
  type DType,
  type Expr,
  gradientExprs,
  input as inputLeaf,
  type Op,
  postOrder,
  type Scalar,
  sameShape,
  substitute,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";
import { sumTo } from "./sum-to.js";

export interface ElementwiseAttrs {
  /** What the user called: `exp`, `add`. */
  readonly name: string;
  /** The value of one element, of `input`s (the operands, broadcast) and `param`s. */
  readonly expr: Expr;
  /** The values of the `param`s. */
  readonly params: readonly (number | Scalar)[];
}

/** Any expression of the scalar table over broadcast operands, in one kernel. */
export const elementwise: Op<ElementwiseAttrs> = {
  name: "elementwise",
  label: ({ name }) => name,

  infer(inputs, { name, expr }) {
    let shape: readonly number[] = inputs[0]?.shape ?? [];
    for (const x of inputs.slice(1)) {
      if (!sameShape(shape, x.shape)) shape = broadcastShapes(name, shape, x.shape);
    }
    return [{ shape, dtype: expr.dtype }];
  },

  lower(_, { name, expr, params }, [out]) {
    const { shape } = out as Aval;
    return {
      kind: "loops",
      key: `elementwise ${shape.length} ${expressionId(expr)}`,
      body: () => ({
        name,
        params: paramDTypes(expr, params.length),
        grid: shape.length,
        stages: [],
        writes: [{ over: [], value: expr }],
      }),
      sizes: shape,
      params,
    };
  },

  batch({ inputs, batched, attrs }) {
    const rank = Math.max(...inputs.map((x, i) => x.ndim - Number(batched[i])));
    const align = (x: Tensor, i: number): Tensor => {
      const [size, ...shape] = x.shape;
      if (batched[i] !== true || shape.length === rank) return x;
      return x.reshape([size as number, ...new Array<number>(rank - shape.length).fill(1), ...shape]);
    };
    return { inputs: inputs.map(align), attrs };
  },

  vjp({ cotangents: [dy], inputs, outputs: [y], attrs, needs }) {
    const gradients = gradientExprs(attrs.expr, inputs.length);
    return inputs.map((x, k) => {
      const gradient = gradients[k];
      if (needs[k] !== true || gradient === undefined) return undefined;
      // The cotangent as it is (`add`): no kernel.
      if (gradient.kind === "input" && gradient.index === inputs.length) return sumTo(dy as Tensor, x.shape);
      // A derivative that does not scale with the cotangent is zero (`floor`).
      if (!compactInputs(gradient).used.includes(inputs.length)) return x.zerosLike();
      const expanded = applyExpr(
        `${attrs.name} gradient`,
        gradient,
        [...inputs, dy as Tensor, y as Tensor],
        attrs.params,
      );
      return sumTo(expanded, x.shape);
    });
  },
};

/** Applies an expression to those of the operands that it reads. */
export function applyExpr(
  name: string,
  expr: Expr,
  operands: readonly Tensor[],
  params: readonly (number | Scalar)[] = [],
): Tensor {
  const { compact, used } = compactInputs(expr);
  return applyOne(
    elementwise,
    used.map((k) => operands[k] as Tensor),
    { name, expr: compact, params },
  );
}

const compacted = new WeakMap<Expr, { compact: Expr; used: readonly number[] }>();

/** The expression with its inputs renumbered without gaps, and which they were. */
function compactInputs(expr: Expr): { compact: Expr; used: readonly number[] } {
  const known = compacted.get(expr);
  if (known !== undefined) return known;
  const used = [...new Set(postOrder([expr]).flatMap((e) => (e.kind === "input" ? [e.index] : [])))].sort(
    (a, b) => a - b,
  );
  const compact = substitute(expr, (e) =>
    e.kind === "input" ? inputLeaf(used.indexOf(e.index), e.dtype) : undefined,
  );
  const result = { compact, used };
  compacted.set(expr, result);
  return result;
}

function paramDTypes(expr: Expr, count: number): DType[] {
  const dtypes = new Array<DType>(count).fill("f32");
  for (const e of postOrder([expr])) if (e.kind === "param") dtypes[e.index] = e.dtype;
  return dtypes;
}

const ids = new WeakMap<Expr, number>();
let nextId = 0;

/** A number that names an expression object: the builders and the derivatives keep theirs, so keys stay short. */
function expressionId(expr: Expr): number {
  let id = ids.get(expr);
  if (id === undefined) {
    id = nextId++;
    ids.set(expr, id);
  }
  return id;
}
