import type { Tensor } from "@gradus/core";
import { Gates, type RecurrentCell, type RecurrentOptions } from "./recurrent.js";

/**
 * Elman's recurrent cell: `h' = tanh(x weightIh^T + biasIh + h weightHh^T + biasHh)`.
 *
 * @throws `invalid-argument` for sizes below 1; when applied `shape-mismatch` for other inputs.
 *
 * Source: PyTorch's `nn.RNNCell` with `nonlinearity="tanh"`.
 *
 * @example
 * ```ts
 * import { rnnTanhCell } from "@gradus/nn";
 * import { key, ones } from "@gradus/tensor";
 * const cell = rnnTanhCell(3, 4);
 * const x = ones([2, 3]);
 * console.log(cell.apply(cell.init(key(0)), x, cell.start(x)).shape); // → [ 2, 4 ]
 * ```
 */
export function rnnTanhCell(
  inputs: number,
  hidden: number,
  options: RecurrentOptions = {},
): RecurrentCell<Tensor> {
  const gates = new Gates("rnnTanhCell", 1, inputs, hidden, options);
  return {
    name: gates.name,
    init: (key) => gates.init(key),
    start: (x) => gates.start(x),
    apply(params, x, h) {
      const [[fromInput, fromState]] = gates.sums(params, x, h) as [[Tensor, Tensor]];
      return fromInput.add(fromState).tanh();
    },
  };
}
