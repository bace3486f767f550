import { grad } from "@gradus/autograd";
import { webgl } from "@gradus/backend-webgl";
import { mse } from "@gradus/losses";
import * as nn from "@gradus/nn";
import * as optimizers from "@gradus/optimizers";
import { setDefaultDevice, tensor } from "@gradus/tensor";
import * as train from "@gradus/train";

const gradient = grad((x) => x.square().sum())(tensor([1, 2, 3]));
console.log(`${gradient}`);

// Three steps down the slope of a straight line's error.
const inputs = tensor([0, 1, 2, 3]);
const targets = inputs.mul(2);
const loss = (slope) => mse(inputs.mul(slope), targets);
let slope = tensor(0);
for (let step = 0; step < 3; step++) {
  console.log(`loss ${loss(slope).item()}`);
  slope = slope.sub(grad(loss)(slope).mul(1 / 8));
}
console.log(`slope ${slope.item()}`);

for (const [name, exported] of Object.entries({ nn, optimizers, train })) {
  if (Object.keys(exported).length === 0) throw new Error(`@gradus/${name} exports nothing`);
}

// The package that carries another library in its files.
setDefaultDevice(await webgl({ mode: "cpu" }));
console.log(`by gpu.js ${await tensor([1, 2, 3]).square().sum().read()}`);
