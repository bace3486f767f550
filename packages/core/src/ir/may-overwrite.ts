import { type Expr, postOrder } from "./expr.js";
import type { Kernel, Output } from "./kernel.js";

/**
 * Whether a kernel may write output `output` into the buffer of input `input`: only if nothing is read there that was
 * written before. That is so if the input is read nowhere but where the output is written, and there at the very index that
 * is written: the elements of a point are read before any is stored, and no other point reads or writes them. So neither
 * stages nor the operands of a contraction may read it.
 *
 * The buffers must have the same size; who plans memory checks that.
 */
export function mayOverwrite(kernel: Kernel, output: number, input: number): boolean {
  if (kernel.kind === "native" || kernel.inputs[input] !== kernel.outputs[output]) return false;
  const targets = kernel.writes.filter((write) => write.buffer === output);
  const [target] = targets;
  if (target === undefined || targets.length !== 1) return false;
  const beside: Expr[] = [];
  // Writes and checks with other loops run at another time.
  const elsewhere: Expr[] = [];
  if (kernel.kind === "contract") {
    elsewhere.push(kernel.a, kernel.b);
    for (const write of kernel.writes) beside.push(write.index, write.value);
  } else {
    elsewhere.push(...kernel.stages.map(({ value }) => value));
    const over = (target as Output).over.join();
    const place = (other: readonly number[]): Expr[] => (other.join() === over ? beside : elsewhere);
    for (const write of kernel.writes) place(write.over).push(write.index, write.value);
    for (const check of kernel.checks ?? []) place(check.over).push(check.holds);
  }
  if (postOrder(elsewhere).some((e) => e.kind === "load" && e.buffer === input)) return false;
  return postOrder(beside).every(
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
