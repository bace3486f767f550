import {
  type Aval,
  axisIndex,
  type ContractBody,
  type ContractLowering,
  calculus as c,
  constant,
  type Expr,
  type Layout,
  type LoopBody,
  type LoopLowering,
  type Lowered,
  param,
  postOrder,
  sizeOf,
  substitute,
} from "@gradus/core";
import { analyse } from "../lowering/analyse.js";

/** What a lowering is given a batch axis for. */
export interface Batch {
  readonly size: number;
  /** Which inputs have a batch axis in front; the others are the same for all examples. */
  readonly batched: readonly boolean[];
  /** The inputs and outputs of one example. */
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
}

/**
 * The lowering of one example as the lowering of all: since it speaks of coordinates, an axis in front of the grid, and of
 * the coordinates of all operands that have the batch axis, is all it takes. Undefined for natives, whose sizes only they
 * understand.
 */
export function batchLowering(lowered: Lowered, batch: Batch, first: Layout): Lowered | undefined {
  switch (lowered.kind) {
    case "view": {
      const { shape, strides, ...rest } = lowered.layout;
      return {
        kind: "view",
        layout: {
          ...rest,
          shape: [batch.size, ...shape],
          strides: [first.strides[0] as number, ...strides],
        },
      };
    }
    case "loops":
      return batchLoops(lowered, batch);
    case "contract":
      return batchContraction(lowered, batch);
    case "native":
      return undefined;
    default:
      return lowered satisfies never;
  }
}

function batchLoops(lowered: LoopLowering, batch: Batch): LoopLowering {
  const { body } = analyse(lowered);
  const { grid } = body.value as LoopBody;
  const sizes = lowered.sizes.slice(0, grid);
  // A write at a row-major position needs to know how many elements an example has.
  const flat = body.value.writes.flatMap((write, k) => (write.flat === undefined ? [] : [k]));
  return {
    kind: "loops",
    key: keyOf(lowered, batch, sizes),
    sizes: [batch.size, ...lowered.sizes],
    params: [...lowered.params, ...flat.map((k) => sizeOf((batch.outputs[k] as Aval).shape))],
    body: () => {
      const own = lowered.body();
      const shift = rewriter((axis) => axis + 1, 0, batch, sizes);
      const over = (axes: readonly number[]): number[] => axes.map((axis) => axis + 1);
      return {
        ...own,
        params: [...own.params, ...flat.map(() => "i32" as const)],
        grid: grid + 1,
        stages: own.stages.map((s) => ({ ...s, over: over(s.over), value: shift(s.value) })),
        writes: own.writes.map((write, k) => ({
          over: over(write.over),
          value: shift(write.value),
          ...(write.at && { at: [axisIndex(0), ...write.at.map(shift)] }),
          ...(write.flat && {
            flat: c.add(
              c.mul(axisIndex(0), param(own.params.length + flat.indexOf(k), "i32")),
              shift(write.flat),
            ),
          }),
        })),
        ...(own.checks && {
          checks: own.checks.map((check) => ({
            ...check,
            over: over(check.over),
            holds: shift(check.holds),
          })),
        }),
      };
    },
  };
}

function batchContraction(lowered: ContractLowering, batch: Batch): ContractLowering {
  const body = analyse(lowered).body.value as ContractBody;
  const { groups } = body;
  const uses = (e: Expr): boolean =>
    postOrder([e]).some((part) => part.kind === "input" && batch.batched[part.index] === true);
  // Where one factor is the same for all examples, they are more rows (or columns) of one product.
  const [inA, inB] = [uses(body.a), uses(body.b)];
  const joins = inA === inB ? "batch" : inA ? "m" : "n";
  const at = joins === "batch" ? 0 : joins === "m" ? groups.batch : groups.batch + groups.m;
  const grid = groups.batch + groups.m + groups.n;
  const sizes = lowered.sizes.slice(0, grid);
  const moved = (axis: number): number => (axis < at ? axis : axis + 1);
  return {
    kind: "contract",
    key: keyOf(lowered, batch, sizes),
    sizes: [...lowered.sizes.slice(0, at), batch.size, ...lowered.sizes.slice(at)],
    params: lowered.params,
    body: () => {
      const own = lowered.body();
      const shift = rewriter(moved, at, batch, sizes);
      return {
        ...own,
        groups: { ...groups, [joins]: groups[joins] + 1 },
        a: shift(own.a),
        b: shift(own.b),
        writes: own.writes.map((write) => ({
          value: shift(write.value),
          at: [axisIndex(at), ...(write.at ?? sizes.map((_, axis) => axisIndex(axis))).map(shift)],
        })),
      };
    },
  };
}

function keyOf(lowered: LoopLowering | ContractLowering, batch: Batch, grid: readonly number[]): string {
  return `vmap ${batch.batched.map(Number).join("")} ${batch.inputs.map((x) => shapeCode(x, grid)).join()} ${lowered.key}`;
}

/** How an operand that is read at the grid point is broadcast to it: part of the key, since its coordinates depend on it. */
function shapeCode({ shape }: Aval, grid: readonly number[]): string {
  if (shape.length > grid.length) return "";
  const extra = grid.length - shape.length;
  return shape.map((n, d) => (n === 1 && grid[extra + d] !== 1 ? 1 : "n")).join("");
}

/** Rewrites a body's expressions for a batch axis that is loop axis `at`; the others get the numbers that `moved` says. */
function rewriter(
  moved: (axis: number) => number,
  at: number,
  batch: Batch,
  grid: readonly number[],
): (e: Expr) => Expr {
  const done = new Map<Expr, Expr>();
  const rewrite = (root: Expr): Expr => {
    const known = done.get(root);
    if (known !== undefined) return known;
    const made = substitute(root, (e) => {
      if (e.kind === "axis") return axisIndex(moved(e.axis));
      if (e.kind === "size") return { ...e, axis: moved(e.axis) };
      if (e.kind !== "input") return undefined;
      if (e !== root) return rewrite(e);
      const guard = e.guard && { guard: rewrite(e.guard) };
      const isBatched = batch.batched[e.index] === true;
      const { shape } = batch.inputs[e.index] as Aval;
      // Read at the grid point, which has the batch axis in front as well: nothing to say.
      const aligned = e.at === undefined && at === 0 && (!isBatched || shape.length === grid.length);
      if (aligned) return { ...e, ...guard };
      const own = e.at?.map(rewrite) ?? gridPoint(shape, grid, moved);
      return { ...e, at: isBatched ? [axisIndex(at), ...own] : own, ...guard };
    });
    done.set(root, made);
    return made;
  };
  return rewrite;
}

/** The grid point as coordinates of an operand that is broadcast to it. */
function gridPoint(
  shape: readonly number[],
  grid: readonly number[],
  moved: (axis: number) => number,
): Expr[] {
  const extra = grid.length - shape.length;
  return shape.map((n, d) =>
    n === 1 && grid[extra + d] !== 1 ? constant(0, "i32") : axisIndex(moved(extra + d)),
  );
}
