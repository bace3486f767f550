import type { Tensor } from "@gradus/core";
import { Gates, type RecurrentCell, type RecurrentOptions } from "./recurrent.js";

export interface LstmState {
  /** The output. */
  readonly h: Tensor;
  /** The memory. */
  readonly c: Tensor;
}

/**
 * Long short-term memory. With gates i (input), f (forget), g (cell) and o (output), in this order in the weights, each the
 * sum of what input and state contribute: `c' = sigmoid(f) c + sigmoid(i) tanh(g)`, `h' = sigmoid(o) tanh(c')`.
 *
 * @throws `invalid-argument` for sizes below 1; when applied `shape-mismatch` for other inputs.
 *
 * Source: PyTorch's `nn.LSTMCell`; Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997.
 *
 * @example
 * ```ts
 * import { lstmCell } from "@gradus/nn";
 * import { key, ones } from "@gradus/tensor";
 * const cell = lstmCell(3, 4);
 * const x = ones([2, 3]);
 * const { h, c } = cell.apply(cell.init(key(0)), x, cell.start(x));
 * console.log(h.shape, c.shape); // → [ 2, 4 ] [ 2, 4 ]
 * ```
 */
export function lstmCell(
  inputs: number,
  hidden: number,
  options: RecurrentOptions = {},
): RecurrentCell<LstmState> {
  const gates = new Gates("lstmCell", 4, inputs, hidden, options);
  return {
    name: gates.name,
    init: (key) => gates.init(key),
    start: (x) => ({ h: gates.start(x), c: gates.start(x) }),
    apply(params, x, { h, c }) {
      const sums = gates.sums(params, x, h).map(([fromInput, fromState]) => fromInput.add(fromState));
      const [input, forget, cell, output] = sums as [Tensor, Tensor, Tensor, Tensor];
      const next = forget.sigmoid().mul(c).add(input.sigmoid().mul(cell.tanh()));
      return { h: output.sigmoid().mul(next.tanh()), c: next };
    },
  };
}
