import {
  type Aval,
  type ContractBody,
  cast,
  castNumber,
  computeDType,
  type Expr,
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
      const isHalf = (k: number): boolean => halves[k] === true;
      const isHalfOutput = (k: number): boolean => halves[inputs.length + k] === true;
      return lowered.kind === "loops"
        ? { ...lowered, key, body: () => narrowLoops(lowered.body(), isHalf, isHalfOutput) }
        : { ...lowered, key, body: () => narrowContraction(lowered.body(), isHalf, isHalfOutput) };
    }
  }
}

function widened<T extends Aval>(x: T): T {
  return x.dtype === "f16" ? { ...x, dtype: computeDType(x.dtype) } : x;
}

type Which = (k: number) => boolean;

function narrowLoops(body: LoopBody, isHalf: Which, isHalfOutput: Which): LoopBody {
  const move = readsOf(isHalf);
  return {
    ...body,
    stages: body.stages.map((stage) => ({ ...stage, value: move(stage.value) })),
    writes: body.writes.map((write, k) => narrowWrite(write, move, isHalfOutput(k))),
    ...(body.checks && { checks: body.checks.map((check) => ({ ...check, holds: move(check.holds) })) }),
  };
}

function narrowContraction(body: ContractBody, isHalf: Which, isHalfOutput: Which): ContractBody {
  const move = readsOf(isHalf);
  return {
    ...body,
    a: move(body.a),
    b: move(body.b),
    writes: body.writes.map((write, k) => narrowWrite(write, move, isHalfOutput(k))),
  };
}

function narrowWrite<W extends Omit<LoweredWrite, "over">>(
  write: W,
  move: (e: Expr) => Expr,
  isHalf: boolean,
): W {
  const value = move(write.value);
  return {
    ...write,
    value: isHalf ? cast(value, "f16") : value,
    ...(write.at && { at: write.at.map(move) }),
    ...(write.flat && { flat: move(write.flat) }),
  };
}

/** Expressions with the reads of f16 operands, where they are taken for f32, as casts from f16. */
function readsOf(isHalf: Which): (e: Expr) => Expr {
  const move: (e: Expr) => Expr = substitution((e) => {
    if (e.kind !== "input") return undefined;
    const isWide = isHalf(e.index) && e.dtype !== "f16";
    const read: Expr = {
      ...e,
      ...(e.at && { at: e.at.map(move) }),
      ...(e.guard && { guard: move(e.guard) }),
    };
    if (!isWide) return read;
    const fill = e.fill === undefined ? {} : { fill: castNumber(e.fill, "f16") };
    return cast({ ...read, ...fill, dtype: "f16" }, e.dtype);
  });
  return move;
}
