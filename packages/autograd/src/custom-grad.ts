import { fail, isTensor, type Tensor, tensorsOf } from "@gradus/core";

export interface BackwardContext<Residuals> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  /** What `forward` kept; undefined without one. */
  readonly residuals: Residuals;
}

export interface CustomGradOptions<Args extends readonly Tensor[], Residuals> {
  /**
   * The inputs' cotangents, given the result's: one tensor for one input, else a list with `undefined` for inputs without
   * a gradient. Written with ordinary operations, it is differentiated itself for higher derivatives.
   */
  readonly backward: (
    dy: Tensor,
    context: BackwardContext<Residuals>,
  ) => Tensor | readonly (Tensor | undefined)[];
  /** Computes the result instead of `f`, and what `backward` needs: `[y, residuals]`, where residuals are a tree. */
  readonly forward?: (...inputs: Args) => readonly [Tensor, Residuals];
}

/**
 * `f` with a gradient of your own. Works eagerly, inside `compile`, and at any order.
 *
 * @throws at the call of the gradient: `shape-mismatch` for a cotangent of another shape than its input,
 * `invalid-argument` if one is missing.
 *
 * @example A straight-through estimator: rounding, with the gradient of the identity.
 * ```ts
 * import { customGrad, grad } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const roundSTE = customGrad((x: Tensor) => x.round(), { backward: (dy) => dy });
 * console.log(grad((x: Tensor) => roundSTE(x).mul(x).sum())(tensor([0.6, 2]))); // → Tensor f32[2] [1.6, 4]
 * ```
 */
export function customGrad<Args extends readonly Tensor[], Residuals = undefined>(
  f: (...inputs: Args) => Tensor,
  options: CustomGradOptions<Args, Residuals>,
): (...inputs: Args) => Tensor {
  return (...inputs) => {
    const [first] = inputs;
    if (first === undefined)
      return fail("invalid-argument", "customGrad: the function takes at least one tensor");
    return first.engine.scope((): Tensor => {
      // Residuals depend on the inputs as far as higher derivatives are concerned; the value does through its gradient alone.
      const [value, residuals] =
        options.forward === undefined
          ? [f(...(inputs.map((x) => x.detach()) as unknown as Args)), undefined as Residuals]
          : options.forward(...inputs);
      const [output] = first.engine.record(
        "customGrad",
        inputs,
        [value],
        ([dy]) =>
          checkedShares(
            options.backward(dy as Tensor, { inputs, output: output as Tensor, residuals }),
            inputs,
          ),
        tensorsOf(residuals),
      );
      return output as Tensor;
    });
  };
}

/** What `backward` returned, as a list with an entry for each input. */
function checkedShares(shares: unknown, inputs: readonly Tensor[]): readonly (Tensor | undefined)[] {
  const list: readonly unknown[] = Array.isArray(shares) ? shares : [shares];
  if (list.length !== inputs.length) {
    fail(
      "invalid-argument",
      `customGrad: backward returned ${list.length} cotangents for ${inputs.length} inputs. Use undefined for inputs without a gradient`,
    );
  }
  if (inputs.length === 1 && !Array.isArray(shares) && shares === undefined) {
    fail(
      "invalid-argument",
      "customGrad: backward returned undefined: is a `return` missing? For an input without a gradient return [undefined]",
    );
  }
  return list.map((share, i) => {
    if (share === undefined || isTensor(share)) return share;
    return fail(
      "invalid-argument",
      `customGrad: backward returned ${describe(share)} as the cotangent of input ${i}: expected a tensor, or undefined for an input without a gradient`,
    );
  });
}

function describe(x: unknown): string {
  if (x === null) return "null";
  return typeof x === "object" ? `an object of class ${x.constructor?.name}` : `${typeof x} ${String(x)}`;
}
