import {
  type Aval,
  axisIndex,
  calculus as c,
  fail,
  formatShape,
  inputAt,
  type Op,
  param,
  type Tensor,
} from "@gradus/core";
import { applyOne } from "../apply.js";

interface TriangleAttrs {
  readonly part: "lower" | "upper";
  /** How far above the main diagonal the part ends. */
  readonly diagonal: number;
}

/** One triangle of the last two axes, zeros in the other. It is its own transpose. */
const triangleOp: Op<TriangleAttrs> = {
  name: "triangle",
  label: ({ part }) => (part === "lower" ? "tril" : "triu"),
  infer: ([x]) => [{ shape: (x as Aval).shape, dtype: (x as Aval).dtype }],
  lower([x], { part, diagonal }) {
    const { shape, dtype } = x as Aval;
    const rank = shape.length;
    return {
      kind: "loops",
      key: `triangle ${part} ${dtype} ${rank}`,
      body: () => {
        const distance = c.sub(axisIndex(rank - 1), axisIndex(rank - 2));
        const limit = param(0, "i32");
        const inside = part === "lower" ? c.lessEqual(distance, limit) : c.greaterEqual(distance, limit);
        const at = shape.map((_, axis) => axisIndex(axis));
        return {
          name: part === "lower" ? "tril" : "triu",
          params: ["i32"],
          grid: rank,
          stages: [],
          writes: [{ over: [], value: inputAt(0, dtype, at, inside) }],
        };
      },
      sizes: shape,
      params: [diagonal],
    };
  },
  vjp: ({ cotangents: [dy], attrs }) => [applyOne(triangleOp, [dy as Tensor], attrs)],
};

/** One triangle of the last two axes. */
export function triangle(x: Tensor, part: TriangleAttrs["part"], diagonal: number): Tensor {
  const name = part === "lower" ? "tril" : "triu";
  if (x.ndim < 2) fail("shape-mismatch", `${name}: expected at least 2 axes, got ${formatShape(x.shape)}`);
  if (!Number.isInteger(diagonal))
    fail("invalid-argument", `${name}: the diagonal must be a whole number, got ${diagonal}`);
  return applyOne(triangleOp, [x], { part, diagonal });
}
