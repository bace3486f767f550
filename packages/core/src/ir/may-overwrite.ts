import { type Expr, postOrder } from "./expr.js";
import type { Kernel } from "./kernel.js";

/**
 * Whether a kernel may write output `output` into the buffer of input `input`: only if nothing is read there that was
 * written before. That is so for a loop without stages whose loads of the input are all at the very index that is
 * written, since the elements of a point are read before any is stored and no other point reads or writes them.
 *
 * The buffers must have the same size; who plans memory checks that.
 */
export function mayOverwrite(kernel: Kernel, output: number, input: number): boolean {
  if (kernel.kind !== "loop" || kernel.stages.length > 0) return false;
  if (kernel.inputs[input] !== kernel.outputs[output]) return false;
  const targets = kernel.writes.filter((write) => write.buffer === output);
  const [target] = targets;
  if (target === undefined || targets.length !== 1) return false;
  // Writes and checks with other loops run at another time.
  const checks = kernel.checks ?? [];
  if ([...kernel.writes, ...checks].some(({ over }) => over.join() !== target.over.join())) return false;
  const roots = [
    ...kernel.writes.flatMap((write) => [write.index, write.value]),
    ...checks.map((check) => check.holds),
  ];
  return postOrder(roots).every(
    (e) => e.kind !== "load" || e.buffer !== input || sameExpr(e.index, target.index),
  );
}

/** Whether two expressions are the same, node by node. */
export function sameExpr(a: Expr, b: Expr): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.dtype !== b.dtype) return false;
  switch (a.kind) {
    case "const":
      return b.kind === "const" && Object.is(a.value, b.value);
    case "axis":
    case "size":
      return (b.kind === "axis" || b.kind === "size") && a.axis === b.axis;
    case "param":
    case "stage":
      return (b.kind === "param" || b.kind === "stage") && a.index === b.index;
    case "op":
      return b.kind === "op" && a.op === b.op && a.args.every((arg, i) => sameExpr(arg, b.args[i] as Expr));
    default:
      return false;
  }
}
