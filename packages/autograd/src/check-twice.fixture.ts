import { grad, gradcheck } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { concat, tensor } from "@gradus/tensor";
import { expect } from "vitest";

/** Checks the gradient of `f`, and the gradient of its gradient weighted unevenly, against differences. */
export function checkTwice(f: (inputs: readonly Tensor[]) => Tensor, inputs: readonly Tensor[]): void {
  expect(gradcheck(f, inputs).compared).toBe(f(inputs).size * inputs.reduce((sum, x) => sum + x.size, 0));
  // A weight that differs from element to element: a plain sum hides mistakes (the softmax of a row sums to 1).
  const gradient = (values: readonly Tensor[]): Tensor => {
    const of = grad((xs: readonly Tensor[]) => {
      const y = f(xs);
      return y.mul(weights(y)).sum();
    })(values);
    return concat(of.map((g) => g.reshape([-1])));
  };
  gradcheck(gradient, inputs, { atol: 1e-4 });
}

/** 0.3, 0.7, 1.1, ... with alternating signs, in the shape of y. */
function weights(y: Tensor): Tensor {
  const values = Float64Array.from({ length: y.size }, (_, i) => (0.3 + 0.4 * i) * (i % 2 === 0 ? 1 : -1));
  return tensor(values, { shape: y.shape, dtype: "f64" });
}
