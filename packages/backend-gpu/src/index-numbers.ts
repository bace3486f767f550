import { type Expr, postOrder } from "@gradus/core";

/** The numbers of a launch. */
export interface Numbers {
  readonly sizes: readonly number[];
  readonly params: readonly number[];
}

/** The value of an index expression that is the same everywhere, or undefined. */
export function numberOf(e: Expr, numbers: Numbers): number | undefined {
  switch (e.kind) {
    case "const":
      return e.value;
    case "size":
      return numbers.sizes[e.axis];
    case "param":
      return numbers.params[e.index];
    case "op": {
      const [a, b] = e.args.map((arg) => numberOf(arg, numbers));
      if (a === undefined || b === undefined) return undefined;
      return e.op === "add" ? a + b : e.op === "sub" ? a - b : e.op === "mul" ? a * b : undefined;
    }
    default:
      return undefined;
  }
}

/** Whether an index is surely a multiple of four wherever it is evaluated. */
export function isMultipleOfFour(e: Expr, numbers: Numbers): boolean {
  const value = numberOf(e, numbers);
  if (value !== undefined) return value % 4 === 0;
  if (e.kind !== "op") return false;
  const [a, b] = e.args as [Expr, Expr];
  if (e.op === "mul") return isMultipleOfFour(a, numbers) || isMultipleOfFour(b, numbers);
  return (e.op === "add" || e.op === "sub") && isMultipleOfFour(a, numbers) && isMultipleOfFour(b, numbers);
}

/** The whole numbers among the params that occur in expressions: strides, if these are indices. */
export function wholeParamsIn(roots: readonly Expr[]): number[] {
  const found = postOrder(roots).flatMap((e) => (e.kind === "param" && e.dtype === "i32" ? e.index : []));
  return [...new Set(found)].sort((a, b) => a - b);
}
