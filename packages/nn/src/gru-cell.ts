import type { Tensor } from "@gradus/core";
import { Gates, type RecurrentCell, type RecurrentOptions } from "./recurrent.js";

/**
 * The gated recurrent unit. With gates r (reset), z (update) and n (new), in this order in the weights, of which `x_g` and `h_g` are
 * what input and state contribute: `r = sigmoid(x_r + h_r)`, `z = sigmoid(x_z + h_z)`, `n = tanh(x_n + r h_n)`, `h' = (1 - z) n + z h`.
 *
 * @throws `invalid-argument` for sizes below 1; when applied `shape-mismatch` for other inputs.
 *
 * Source: PyTorch's `nn.GRUCell`; Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
 * Translation", 2014.
 *
 * @example
 * ```ts
 * import { gruCell } from "@gradus/nn";
 * import { key, ones } from "@gradus/tensor";
 * const cell = gruCell(3, 4);
 * const x = ones([2, 3]);
 * console.log(cell.apply(cell.init(key(0)), x, cell.start(x)).shape); // → [ 2, 4 ]
 * ```
 */
export function gruCell(
  inputs: number,
  hidden: number,
  options: RecurrentOptions = {},
): RecurrentCell<Tensor> {
  const gates = new Gates("gruCell", 3, inputs, hidden, options);
  return {
    name: gates.name,
    init: (key) => gates.init(key),
    start: (x) => gates.start(x),
    apply(params, x, h) {
      type Sums = [Tensor, Tensor];
      const [[xr, hr], [xz, hz], [xn, hn]] = gates.sums(params, x, h) as [Sums, Sums, Sums];
      const reset = xr.add(hr).sigmoid();
      const update = xz.add(hz).sigmoid();
      const fresh = xn.add(reset.mul(hn)).tanh();
      return fresh.add(update.mul(h.sub(fresh)));
    },
  };
}
