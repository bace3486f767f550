import { fail, formatShape, type Layer, type Tensor } from "@gradus/core";
import { checkSize } from "./check-size.js";
import { heUniform } from "./initializers/he-uniform.js";
import type { Initializer } from "./initializers/initializer.js";
import { type Empty, empty } from "./stateless.js";

export interface LinearParams {
  /** `[outputs, inputs]`, PyTorch's layout. */
  readonly weight: Tensor;
  /** `[outputs]`. */
  readonly bias: Tensor;
}

/** The parameters of a linear layer that may be without bias. */
export type LinearParamsWithoutBias = Pick<LinearParams, "weight"> & Partial<LinearParams>;

export interface LinearOptions {
  /** Whether a bias is added. Default true. */
  readonly bias?: boolean;
  /** How the weight begins. Default, as in PyTorch: uniform in +-1 / sqrt(inputs), like the bias. */
  readonly init?: Initializer;
}

/**
 * A fully connected layer, `x weight^T + bias`: inputs `[..., inputs]` become `[..., outputs]`.
 *
 * Weight and bias begin uniform in +-1 / sqrt(inputs). `init` begins the weight otherwise: `heNormal`, or
 * `(key, shape) => heNormal(key, shape, { mode: "fanOut" })`.
 *
 * @throws `invalid-argument` for sizes below 1; `shape-mismatch` when applied to inputs of another last size.
 *
 * Source: PyTorch's `nn.Linear`; weights have its layout, so that state dicts carry over.
 *
 * @example
 * ```ts
 * import { linear } from "@gradus/nn";
 * import { key, ones, tensor } from "@gradus/tensor";
 * const layer = linear(3, 2);
 * const { params, state } = layer.init(key(0));
 * console.log(params.weight.shape, params.bias.shape); // → [ 2, 3 ] [ 2 ]
 * const own = { weight: ones([2, 3]), bias: tensor([0, 1]) };
 * const [y] = layer.apply(own, state, tensor([1, 2, 3]), { train: false });
 * console.log(y); // → Tensor f32[2] [6, 7]
 * ```
 */
export function linear(
  inputs: number,
  outputs: number,
  options?: LinearOptions & { readonly bias?: true },
): Layer<LinearParams, Empty>;
export function linear(
  inputs: number,
  outputs: number,
  options: LinearOptions,
): Layer<LinearParamsWithoutBias, Empty>;
export function linear(
  inputs: number,
  outputs: number,
  options: LinearOptions = {},
): Layer<LinearParams, Empty> | Layer<LinearParamsWithoutBias, Empty> {
  const { bias: withBias = true, init = pytorchUniform } = options;
  checkSize("linear", "inputs", inputs);
  checkSize("linear", "outputs", outputs);
  const name = `linear(${inputs}, ${outputs})`;
  const layer: Layer<LinearParamsWithoutBias, Empty> = {
    name,
    init(key) {
      const weight = init(key.foldIn(0), [outputs, inputs]);
      if (!withBias) return { params: { weight }, state: empty };
      const bound = 1 / Math.sqrt(inputs);
      const bias = key.foldIn(1).uniform([outputs], { low: -bound, high: bound });
      return { params: { weight, bias }, state: empty };
    },
    apply({ weight, bias }, state, x, { tap }) {
      if (x.shape.at(-1) !== inputs) {
        fail("shape-mismatch", `${name}: expected inputs [..., ${inputs}], got ${formatShape(x.shape)}`);
      }
      const product = x.matmul(weight.transpose());
      // To a product of f16 the bias is added in f16.
      const added = product.dtype === "f16" ? bias?.cast("f16") : bias;
      const y = added === undefined ? product : product.add(added);
      if (tap === undefined) return [y, state];
      const use = {
        weight,
        bias,
        layout: "out-in",
        output: y,
        inputRows: () => x.reshape([-1, inputs]),
        outputRows: (of: Tensor) => of.reshape([-1, outputs]),
      } as const;
      return [tap(use), state];
    },
  };
  return layer;
}

const pytorchUniform: Initializer = (key, shape) => heUniform(key, shape, { slope: Math.sqrt(5) });
