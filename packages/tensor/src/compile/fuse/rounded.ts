import type { Expr } from "@gradus/core";

/**
 * A value that is no longer stored, as it would be read: rounded to f32. On a device that computes in f32 this is nothing;
 * the interpreter computes in f64 and gives to the last bit what it gives without joining.
 */
export function rounded(e: Expr): Expr {
  const exact = e.dtype !== "f32" || e.kind === "input" || e.kind === "const" || e.kind === "param";
  return exact || e.kind === "cast" ? e : { kind: "cast", value: e, dtype: "f32" };
}
