import type { Tensor } from "./tensor.js";

/** What the operands of an operation become before it runs. */
export type OperandCast = (op: string, inputs: readonly Tensor[]) => readonly Tensor[];

let current: OperandCast | undefined;

/** Runs `f` with the operands of all operations cast, or with undefined none. `autocast` of `@gradus/tensor` is built on it. */
export function withOperandCast<T>(cast: OperandCast | undefined, f: () => T): T {
  const outer = current;
  current = cast;
  try {
    return f();
  } finally {
    current = outer;
  }
}

/** How operands are cast, if they are. For implementations of tensors, and of what runs a function again. */
export function currentOperandCast(): OperandCast | undefined {
  return current;
}
