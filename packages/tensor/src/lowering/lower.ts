import {
  type Aval,
  type ContractBody,
  cast,
  castNumber,
  computeDType,
  type Expr,
  inputAt,
  type Layout,
  type LoopBody,
  type Lowered,
  type LoweredWrite,
  type Op,
  substitution,
} from "@gradus/core";

/**
 * An operation's lowering. Of f16 operands and results the operation itself knows nothing: it is lowered as if they were
 * f32, and here its reads become casts from f16 and what it writes a cast to f16. So every operation computes in f32 and
 * rounds its result once.
 */
export function lower<A>(op: Op<A>, inputs: readonly Layout[], attrs: A, outputs: readonly Aval[]): Lowered {
  const halves = [...inputs, ...outputs].map((x) => x.dtype === "f16");
  if (!halves.includes(true)) return op.lower(inputs, attrs, outputs);
  const lowered = op.lower(inputs.map(widened), attrs, outputs.map(widened));
  switch (lowered.kind) {
    case "view":
      return { kind: "view", layout: { ...lowered.layout, dtype: (inputs[0] as Layout).dtype } };
    case "native":
      return lowered;
    default: {
      const key = `${lowered.key} f16 ${halves.map(Number).join("")}`;
      return { ...lowered, key, body: () => narrowed(lowered.body(), halves, inputs.length) } as Lowered;
    }
  }
}

function widened<T extends Aval>(x: T): T {
  return { ...x, dtype: computeDType(x.dtype) };
}

/** The body with casts, where `halves` says which operands and then which of the results are of f16. */
function narrowed<Body extends LoopBody | ContractBody>(
  body: Body,
  halves: readonly boolean[],
  operands: number,
): Body {
  const move = readsOf(halves);
  const moved = <T extends { readonly value: Expr }>(part: T): T => ({ ...part, value: move(part.value) });
  return {
    ...body,
    ...("stages" in body
      ? {
          stages: body.stages.map(moved),
          checks: body.checks?.map((check) => ({ ...check, holds: move(check.holds) })),
        }
      : { a: move(body.a), b: move(body.b) }),
    writes: body.writes.map((write: Omit<LoweredWrite, "over">, k) => ({
      ...write,
      value: halves[operands + k] ? cast(move(write.value), "f16") : move(write.value),
      at: write.at?.map(move),
      flat: write.flat && move(write.flat),
    })),
  };
}

/** Expressions with the reads of f16 operands, where they are taken for f32, as casts from f16. */
function readsOf(halves: readonly boolean[]): (e: Expr) => Expr {
  const move: (e: Expr) => Expr = substitution((e) => {
    if (e.kind !== "input") return undefined;
    const dtype = halves[e.index] ? "f16" : e.dtype;
    const read = inputAt(
      e.index,
      dtype,
      e.at?.map(move) as Expr[],
      e.guard && move(e.guard),
      castNumber(e.fill ?? 0, dtype),
    );
    return cast(read, e.dtype);
  });
  return move;
}
