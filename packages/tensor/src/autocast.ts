import { type DType, fail, type Tensor, withOperandCast } from "@gradus/core";
import { isPromise } from "./scope.js";

/**
 * Runs `f` in mixed precision: matrix products and convolutions take f16 operands and give f16 results, with sums in f32; what
 * loses too much in f16 (exponentials, logarithms, powers, sums, means, softmax, cross-entropy) takes f32 and gives f32. All other
 * operations take what comes, and a mixture becomes f32. So activations take half the memory, parameters stay f32, and their
 * gradients are f32.
 *
 * Only what runs within is cast: gradients go back in the dtypes of the way there. Small gradients vanish in f16: train with
 * `lossScaled` of `@gradus/optimizers`. It works inside `compile` and around compiled functions.
 *
 * @throws `unsupported` at the first product on a device that has no f16; `async-scope` if `f` returns a Promise.
 *
 * Source: PyTorch's `torch.autocast`, with its lists of operations for CUDA; means of f16 are f32 too.
 *
 * @example
 * ```ts
 * import { autocast, tensor } from "@gradus/tensor";
 * const x = tensor([[1, 2049]]);
 * const w = tensor([[0], [1]]);
 * console.log(autocast(() => x.matmul(w)).item()); // → 2048
 * console.log(autocast(() => x.matmul(w).log().dtype)); // → f32
 * ```
 */
export function autocast<T>(f: () => T extends PromiseLike<unknown> ? never : T): T {
  return withOperandCast(castOperands, () => {
    const result: T = f();
    if (!isPromise(result)) return result;
    return fail("async-scope", "autocast: the callback returned a Promise. Await outside of it");
  });
}

const inHalf = new Set(["matmul", "convolve"]);
const inSingle = new Set([
  ...["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow", "square", "reciprocal", "rsqrt"],
  ...["acos", "asin", "cosh", "sinh", "tan", "erfinv", "softplus", "logSigmoid"],
  ...["sum", "mean", "prod", "cumulate", "var", "logsumexp", "softmax", "logSoftmax"],
  "crossEntropy",
]);

function castOperands(op: string, inputs: readonly Tensor[]): readonly Tensor[] {
  const recast = (from: DType, to: DType): Tensor[] => inputs.map((x) => (x.dtype === from ? x.cast(to) : x));
  if (inHalf.has(op)) return recast("f32", "f16");
  return inSingle.has(op) ? recast("f16", "f32") : inputs;
}
