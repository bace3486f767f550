import { type Aval, contiguousLayout, type Op, type Tensor } from "@gradus/core";
import { apply } from "../apply.js";
import type { GradusTensor } from "../gradus-tensor.js";
import { stack } from "../ops/concat.js";
import { type BatchMap, exampleOf, examplesOf, outsideOf } from "./batch-map.js";
import { batchedOp } from "./batched-op.js";

/** Runs an operation on all examples of `map` at once. */
export function applyBatched<A>(
  map: BatchMap,
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
): GradusTensor[] {
  const avals = op.infer(inputs, attrs);
  const examples = inputs.map((x) => examplesOf(x, map));
  const batched = examples.map((x) => x !== undefined);
  const all = inputs.map((x, i) => examples[i] ?? x);
  const outputs = outsideOf(map, () => onAll(op, all, attrs, batched, map.size, inputs, avals));
  return outputs.map((y) => exampleOf(y as GradusTensor, map));
}

function onAll<A>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
  batched: readonly boolean[],
  size: number,
  one: readonly Aval[],
  avals: readonly Aval[],
): readonly Tensor[] {
  if (op.batch !== undefined) {
    const { inputs: given, attrs: changed } = op.batch({ inputs, batched, size, attrs });
    return apply(op, given, changed);
  }
  const isNative = op.lower(one.map(contiguousLayout), attrs, avals).kind === "native";
  return isNative
    ? oneByOne(op, inputs, attrs, batched, size, avals)
    : apply(batchedOp(op, batched), inputs, attrs);
}

/** A native of which nobody has said how it takes a batch axis. */
function oneByOne<A>(
  op: Op<A>,
  inputs: readonly Tensor[],
  attrs: A,
  batched: readonly boolean[],
  size: number,
  avals: readonly Aval[],
): readonly Tensor[] {
  const rows = Array.from({ length: size }, (_, k) =>
    apply(
      op,
      inputs.map((x, i) => (batched[i] ? x.slice([k, k + 1]).reshape(x.shape.slice(1)) : x)),
      attrs,
    ),
  );
  return avals.map(({ shape, dtype }, output) => {
    if (size > 0) return stack(rows.map((row) => row[output] as Tensor));
    const x = inputs[0] as Tensor;
    return x.engine.full([0, ...shape], 0, { dtype, device: x.device });
  });
}
