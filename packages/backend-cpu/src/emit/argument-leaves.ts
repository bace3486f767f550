import { type DType, type Expr, postOrder } from "@gradus/core";
import { paramsAt } from "../program.js";
import { F64, I32 } from "../wasm/encode.js";
import type { FunctionBody } from "../wasm/function-body.js";
import type { Leaves } from "./expressions.js";
import { typeOf } from "./instructions.js";

/** What a launch's block of arguments holds. */
export interface ArgumentShape {
  readonly inputs: readonly DType[];
  readonly outputs: readonly DType[];
  readonly params: readonly DType[];
  readonly axes: number;
}

/**
 * Loads what a function needs of a launch's arguments, whose address is its first parameter, to locals: all sizes, and
 * the buffers and params that occur in `roots`.
 *
 * @param targets the output buffers that the function writes.
 */
export function argumentLeaves(
  body: FunctionBody,
  { inputs, outputs, params, axes }: ArgumentShape,
  roots: readonly Expr[],
  targets: readonly number[],
): Leaves {
  const count = inputs.length + outputs.length;
  const used = postOrder(roots);
  const buffers = new Set([
    ...used.flatMap((e) => (e.kind === "load" ? [e.buffer] : [])),
    ...targets.map((buffer) => inputs.length + buffer),
  ]);
  const numbers = new Set(used.flatMap((e) => (e.kind === "param" ? [e.index] : [])));
  const word = (k: number): number => {
    const local = body.local(I32);
    body.get(0);
    body.load(I32, 4 * k);
    body.set(local);
    return local;
  };
  const start = paramsAt(count, axes);
  const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  const none = -1;
  return {
    buffers: range(count).map((k) => (buffers.has(k) ? word(k) : none)),
    sizes: range(axes).map((axis) => word(count + axis)),
    axes: range(axes).map(() => body.local(I32)),
    params: params.map((dtype, i) => {
      if (!numbers.has(i)) return none;
      const local = body.local(typeOf(dtype));
      body.get(0);
      body.load(F64, start + 8 * i);
      if (dtype === "f32") body.put(0xb6);
      else if (dtype === "i32") body.put(0xfc, 2);
      else if (dtype === "bool") {
        // A mask must not be made of another number.
        body.constant(F64, 0);
        body.put(0x62);
      }
      body.set(local);
      return local;
    }),
  };
}
