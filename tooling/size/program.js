// What a page that trains a network uses: every part of the way, two losses, two optimizers, a schedule, clipping.
import { valueAndGrad } from "@gradus/autograd";
import { mapTree } from "@gradus/core";
import { bceWithLogits, crossEntropy } from "@gradus/losses";
import { adamw, applyUpdates, clipByGlobalNorm, cosine, sgd } from "@gradus/optimizers";
import { compile, key, openScope, scope, setDefaultDevice, tensor } from "@gradus/tensor";

export function train(device, x, y, { binary = false, steps = 100 } = {}) {
  setDefaultDevice(device);
  let params = { weight: key(0).normal([x[0].length, 10]), bias: key(1).uniform([10]) };
  const loss = binary ? bceWithLogits : crossEntropy;
  const rule = binary ? sgd({ lr: 0.1, momentum: 0.9 }) : adamw({ lr: cosine({ from: 0.01, steps }) });
  let state = rule.init(params);
  const step = compile(
    (params, state, x, y) => {
      const lossOf = (p) => loss(x.matmul(p.weight).add(p.bias), y);
      const [value, gradients] = valueAndGrad(lossOf)(params);
      const { grads } = clipByGlobalNorm(gradients, 1);
      const { updates, state: next } = rule.update(grads, state, { params });
      return { params: applyUpdates(params, updates), state: next, value };
    },
    { donate: [0, 1] },
  );
  const [inputs, targets] = [tensor(x), tensor(y, { dtype: binary ? "f32" : "i32" })];
  const losses = [];
  for (let i = 0; i < steps; i++) {
    const result = step(params, state, inputs, targets);
    ({ params, state } = result);
    losses.push(scope(() => result.value.item()));
  }
  return { losses, params: mapTree(params, (p) => p.detach()), scope: openScope() };
}
