import type { ContractKernel, Expr, ScalarOpName } from "@gradus/core";
import { HALF } from "./operations.js";

/** The contraction with its operands rounded to float16; sums stay f32. Products of whole numbers stay as they are. */
export function withHalfOperands(kernel: ContractKernel): ContractKernel {
  if (kernel.accumulate !== "f32") return kernel;
  const half = (e: Expr): Expr =>
    isStoredHalf(e) ? e : { kind: "op", op: HALF as ScalarOpName, args: [e], dtype: "f32" };
  return { ...kernel, a: half(kernel.a), b: half(kernel.b) };
}

/** Whether a value is read from a buffer of f16. */
export function isStoredHalf(e: Expr): boolean {
  return e.kind === "cast" && e.dtype === "f32" && e.value.kind === "load" && e.value.dtype === "f16";
}

/** Whether float16 has all values of an operand: it is rounded to it, or made of f16. */
export function isHalf(e: Expr): boolean {
  return unrounded(e).isHalf || (e.kind === "cast" && e.dtype === "f32" && e.value.dtype === "f16");
}

/** What an operand rounds or reads of f16, if it does. */
export function unrounded(e: Expr): { readonly e: Expr; readonly isHalf: boolean } {
  if (isStoredHalf(e)) return { e: (e as Extract<Expr, { kind: "cast" }>).value, isHalf: false };
  return e.kind === "op" && (e.op as string) === HALF
    ? { e: e.args[0] as Expr, isHalf: true }
    : { e, isHalf: false };
}
