import {
  type Aval,
  axisIndex,
  calculus as c,
  cast,
  constant,
  type DType,
  type Expr,
  inputAt,
  type Op,
  param,
  type Scalar,
  type Shape,
  sizeOf,
} from "@gradus/core";
import { threefry } from "./threefry.js";

/** What a number is used for: counters of different uses never meet. */
const USE = { draw: 0, secondDraw: 1, split: 2, foldIn: 3 } as const;

interface DrawAttrs {
  readonly distribution: "bits" | "uniform" | "normal";
  readonly shape: Shape;
  readonly dtype: DType;
  /** Offset and factor of the result: `offset + factor * value`. */
  readonly offset: number | Scalar;
  readonly factor: number | Scalar;
}

/** Numbers from a key: element i is computed from counter i alone, so the order of computing does not matter. */
export const draw: Op<DrawAttrs> = {
  name: "draw",
  label: ({ distribution }) => `key.${distribution}`,
  infer: (_, { shape, dtype }) => [{ shape, dtype }],
  lower(_, { distribution, shape, offset, factor }, [out]) {
    const { dtype } = out as Aval;
    const isNumber = distribution !== "bits";
    return {
      kind: "loops",
      key: `draw ${distribution} ${dtype}`,
      body: () => {
        const value = drawn(distribution, dtype);
        return {
          name: distribution,
          params: isNumber ? [dtype, dtype] : [],
          grid: 1,
          stages: [],
          writes: [
            {
              over: [],
              flat: axisIndex(0),
              value: isNumber ? c.add(param(0, dtype), c.mul(param(1, dtype), value)) : value,
            },
          ],
        };
      },
      sizes: [sizeOf(shape)],
      params: isNumber ? [offset, factor] : [],
    };
  },
};

function drawn(distribution: DrawAttrs["distribution"], dtype: DType): Expr {
  const words = threefry(key, [axisIndex(0), constant(USE.draw, "i32")]);
  if (distribution === "bits") return words[0];
  if (dtype === "f64") {
    const u = unitF64(words);
    if (distribution === "uniform") return u;
    return boxMuller(u, unitF64(threefry(key, [axisIndex(0), constant(USE.secondDraw, "i32")])));
  }
  return distribution === "uniform" ? unitF32(words[0]) : boxMuller(unitF32(words[0]), unitF32(words[1]));
}

/** 24 random bits as a number in [0, 1), every one of which f32 holds exactly. */
function unitF32(word: Expr): Expr {
  return c.mul(cast(c.shiftRightLogical(word, 8), "f32"), 2 ** -24);
}

/** 53 random bits as a number in [0, 1). */
function unitF64([high, low]: readonly [Expr, Expr]): Expr {
  const upper = c.mul(cast(c.shiftRightLogical(high, 5), "f64"), 2 ** 26);
  return c.mul(c.add(upper, cast(c.shiftRightLogical(low, 6), "f64")), 2 ** -53);
}

/** A normal number from two uniform ones: `sqrt(-2 log(1 - u)) cos(2 pi v)`; 1 - u is never 0. */
function boxMuller(u: Expr, v: Expr): Expr {
  const radius = c.sqrt(c.mul(-2, c.log(c.sub(1, u))));
  return c.mul(radius, c.cos(c.mul(2 * Math.PI, v)));
}

interface DeriveAttrs {
  readonly use: "split" | "foldIn";
  readonly count: number;
  /** The number folded in; 0 for split. */
  readonly data: number | Scalar;
}

/** New keys from a key, as rows of two words. */
export const deriveKeys: Op<DeriveAttrs> = {
  name: "deriveKeys",
  label: ({ use }) => `key.${use}`,
  infer: (_, { use, count }) => [{ shape: use === "split" ? [count, 2] : [2], dtype: "i32" } satisfies Aval],
  lower: (_, { use, count, data }) => ({
    kind: "loops",
    key: `deriveKeys ${use}`,
    body: () => {
      const at = axisIndex(0);
      const pair = threefry(key, [c.add(at, param(0, "i32")), constant(USE[use], "i32")]);
      return {
        name: use,
        params: ["i32"],
        grid: 1,
        stages: [],
        writes: [
          {
            over: [1],
            at: use === "split" ? [at, axisIndex(1)] : [axisIndex(1)],
            value: c.where(c.equal(axisIndex(1), 0), pair[0], pair[1]),
          },
        ],
      };
    },
    sizes: [count, 2],
    params: [data],
  }),
};

/** A key's two words. */
const key: [Expr, Expr] = [inputAt(0, "i32", [constant(0, "i32")]), inputAt(0, "i32", [constant(1, "i32")])];
