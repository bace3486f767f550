import { type DType, type Expr, type Op, postOrder, type Scalar, type Shape } from "@gradus/core";

export interface GenerateAttrs {
  /** What it makes: `full`, `arange`. */
  readonly name: string;
  readonly shape: Shape;
  /** The value of one element, of its coordinates `axisIndex(0)`, `axisIndex(1)`, ... and the params. */
  readonly expr: Expr;
  readonly params: readonly (number | Scalar)[];
}

/** A tensor computed from coordinates alone: zeros, ranges, the identity. */
export const generate: Op<GenerateAttrs> = {
  name: "generate",
  label: ({ name }) => name,
  infer: (_, { shape, expr }) => [{ shape, dtype: expr.dtype }],
  lower: (_, { name, shape, expr, params }) => ({
    kind: "loops",
    key: `generate ${name} ${expr.dtype} ${shape.length}`,
    body: () => ({
      name,
      params: paramDTypes(expr),
      grid: shape.length,
      stages: [],
      writes: [{ over: [], value: expr }],
    }),
    sizes: shape,
    params,
  }),
};

function paramDTypes(expr: Expr): DType[] {
  const dtypes: DType[] = [];
  for (const e of postOrder([expr])) if (e.kind === "param") dtypes[e.index] = e.dtype;
  return dtypes;
}
