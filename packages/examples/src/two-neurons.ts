import { type Graph, graph } from "@gradus/autograd";
import { type Tensor, tensor } from "@gradus/tensor";

/** Two neurons, one after the other, and the square of their error. */
function loss(
  p: { readonly w1: Tensor; readonly b1: Tensor; readonly w2: Tensor; readonly b2: Tensor },
  data: { readonly x: Tensor; readonly target: Tensor },
): Tensor {
  const hidden = data.x.mul(p.w1).add(p.b1).tanh();
  const output = hidden.mul(p.w2).add(p.b2);
  return output.sub(data.target).square();
}

/** The picture in the documentation: what they compute, and how the gradient of the loss comes about. */
export function twoNeurons(): Graph {
  const weights = { w1: tensor(0.8), b1: tensor(-0.1), w2: tensor(1.5), b2: tensor(0.2) };
  const data = { x: tensor(0.5), target: tensor(1) };
  return graph(loss, [weights, data], { backward: true, values: true });
}
