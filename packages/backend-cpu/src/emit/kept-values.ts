import { type Expr, type LoopKernel, type Output, postOrder, substitute } from "@gradus/core";

/** Expressions of fewer nodes are cheaper to compute again than to load. */
const HEAVY = 12;

/** For each stage whose values a later write needs, where they are stored until then: that write's own place. */
export type KeptValues = ReadonlyMap<number, Pick<Output, "buffer" | "index">>;

/**
 * What a stage combines is often needed once more when results are written, as the exponentials of a softmax are. Where
 * the write runs over the same points, the stage stores its values there and the write reads them back. The kernel's
 * expressions are lowered: equal ones are one object. Loads of the result read the outputs' buffers, numbered behind the inputs'.
 */
export function keepStageValues(kernel: LoopKernel): {
  readonly kernel: LoopKernel;
  readonly kept: KeptValues;
} {
  const kept = new Map<number, Pick<Output, "buffer" | "index">>();
  const { stages, inputs, aliases = [] } = kernel;
  const writes = kernel.writes.map((write) => {
    const { over, buffer, index, value } = write;
    const isAlone = kernel.writes.every((other) => other === write || other.buffer !== buffer);
    if (over.length === 0 || !isAlone || aliases[buffer] !== undefined || readsStage(index)) return write;
    const nodes = new Set(postOrder([value]));
    const found = stages.findIndex(
      (stage, k) =>
        !kept.has(k) &&
        stage.op === "sum" &&
        stage.over.join() === over.join() &&
        stage.value.dtype === value.dtype &&
        nodes.has(stage.value) &&
        postOrder([stage.value]).length >= HEAVY,
    );
    if (found < 0) return write;
    kept.set(found, { buffer, index });
    const again: Expr = { kind: "load", buffer: inputs.length + buffer, index, dtype: value.dtype };
    const own = stages[found]?.value;
    return { ...write, value: substitute(value, (e) => (e === own ? again : undefined)) };
  });
  return { kernel: kept.size === 0 ? kernel : { ...kernel, writes }, kept };
}

function readsStage(e: Expr): boolean {
  return postOrder([e]).some((node) => node.kind === "stage");
}
