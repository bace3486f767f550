import type { Aval, GradNode, Layout, Op, Tensor } from "@gradus/core";
import { asGradusTensor, type GradusTensor } from "../gradus-tensor.js";
import { batchLowering } from "./batch-lowering.js";
import { type BatchMap, exampleOf, examplesOf, inMap, newMap } from "./batch-map.js";

const made = new WeakMap<object, Map<string, unknown>>();

/**
 * `op` on all examples at once: an operation like any other, of inputs some of which have a batch axis in front. Its
 * gradient is that of one example, on all of them.
 */
export function batchedOp<A>(op: Op<A>, batched: readonly boolean[]): Op<A> {
  let variants = made.get(op);
  if (variants === undefined) {
    variants = new Map();
    made.set(op, variants);
  }
  const pattern = batched.join();
  let variant = variants.get(pattern) as Op<A> | undefined;
  if (variant === undefined) {
    variant = build(op, batched);
    variants.set(pattern, variant);
  }
  return variant;
}

function build<A>(op: Op<A>, batched: readonly boolean[]): Op<A> {
  const oneOf = (inputs: readonly Aval[]): Aval[] => inputs.map((x, i) => (batched[i] ? exampleAval(x) : x));
  const sizeOf = (inputs: readonly Aval[]): number => inputs[batched.indexOf(true)]?.shape[0] as number;
  const { vjp } = op;
  return {
    name: op.name,
    ...(op.label && { label: (attrs: A) => (op.label as (attrs: A) => string)(attrs) }),
    infer: (inputs, attrs) =>
      op
        .infer(oneOf(inputs), attrs)
        .map(({ shape, dtype }) => ({ shape: [sizeOf(inputs), ...shape], dtype })),
    lower(inputs, attrs, outputs) {
      const examples = inputs.map((x, i) => (batched[i] ? exampleLayout(x) : x));
      const results = outputs.map(exampleAval);
      const batch = { size: sizeOf(inputs), batched, inputs: examples, outputs: results };
      const lowered = batchLowering(op.lower(examples, attrs, results), batch, inputs[0] as Layout);
      if (lowered === undefined) throw new Error(`${op.name}: a native has no batch axis`);
      return lowered;
    },
    ...(vjp && {
      vjp: ({ cotangents, inputs, outputs, attrs, needs }) =>
        inMap(newMap(sizeOf(inputs)), (map) => {
          const example = (x: Tensor): GradusTensor => exampleOf(asGradusTensor(op.name, x), map);
          const shares = vjp.call(op, {
            cotangents: cotangents.map((dy) => dy && example(dy)),
            inputs: inputs.map((x, i) => (batched[i] ? example(x) : x)),
            outputs: outputs.map(example),
            attrs,
            needs,
          });
          return sharesOf(map, shares, batched);
        }),
    }),
  };
}

/** A node's gradient on one example, as the gradient on all examples of `map`, which is entered again for it. */
export function batchedVjp(
  map: BatchMap,
  batched: readonly boolean[],
  vjp: GradNode["vjp"],
): GradNode["vjp"] {
  return (cotangents, needs) =>
    inMap(map, () => {
      const examples = cotangents.map((dy) => dy && exampleOf(asGradusTensor("vmap", dy), map));
      return sharesOf(map, vjp(examples, needs), batched);
    });
}

/** The cotangents of the inputs: of all examples, or their sum where the input is the same for all. */
function sharesOf(
  map: BatchMap,
  shares: readonly (Tensor | undefined)[],
  batched: readonly boolean[],
): (Tensor | undefined)[] {
  return shares.map((share, i) => {
    if (share === undefined) return undefined;
    const examples = examplesOf(asGradusTensor("vmap", share), map);
    if (batched[i] === true) return examples ?? share.expand([map.size, ...share.shape]);
    return examples === undefined ? share.mul(map.size) : examples.sum(0);
  });
}

function exampleAval({ shape, dtype }: Aval): Aval {
  return { shape: shape.slice(1), dtype };
}

function exampleLayout({ shape, strides, dtype, offset }: Layout): Layout {
  return { shape: shape.slice(1), strides: strides.slice(1), dtype, offset };
}
