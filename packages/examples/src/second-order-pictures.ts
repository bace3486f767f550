import { objective } from "@gradus/autograd";
import {
  adam,
  bfgs,
  conjugateGradient,
  gradientDescent,
  lbfgs,
  newton,
  sgd,
  trustRegion,
} from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import {
  beale,
  boundedMonkeySaddle,
  type Challenge,
  contourPicture,
  rosenbrock,
  trajectory,
} from "@gradus/testbed";

/** The pictures of docs/second-order.md, by file name. */
export async function secondOrderPictures(): Promise<Readonly<Record<string, string>>> {
  return {
    "rosenbrock.svg": await picture(
      {
        ...rosenbrock(),
        view: [
          [-1.6, 1.5],
          [-0.4, 1.7],
        ],
      },
      [
        ["gradient descent", gradientDescent(), 60],
        ["Adam, lr 0.05", adam({ lr: 0.05 }), 400],
        ["L-BFGS", lbfgs({ iterationsPerStep: 1 }), 200],
        ["trust region", trustRegion(), 200],
      ],
    ),
    "beale.svg": await picture(beale, [
      ["gradient descent", gradientDescent(), 60],
      ["Adam, lr 0.05", adam({ lr: 0.05 }), 400],
      ["conjugate gradients", conjugateGradient(), 200],
      ["L-BFGS", lbfgs({ iterationsPerStep: 1 }), 200],
      ["Newton", newton(), 200],
    ]),
    "monkey-saddle.svg": await picture(
      boundedMonkeySaddle,
      [
        ["gradient descent", gradientDescent(), 100],
        ["SGD, lr 0.002, momentum 0.9", sgd({ lr: 0.002, momentum: 0.9 }), 400],
        ["BFGS", bfgs(), 200],
        ["trust region", trustRegion(), 200],
      ],
      [2, 0.5],
    ),
  };
}

type Ways = readonly (readonly [name: string, optimizer: Parameters<typeof trajectory>[1], steps: number])[];

async function picture(
  challenge: Challenge,
  ways: Ways,
  start: readonly number[] = challenge.start,
): Promise<string> {
  const f = objective(challenge.f);
  const from = tensor([...start], { dtype: "f64" });
  const paths = [];
  for (const [name, optimizer, steps] of ways) paths.push(await trajectory(name, optimizer, f, from, steps));
  const valuesAt = (points: Float64Array) =>
    challenge.f(tensor(points, { shape: [points.length / 2, 2] })).data();
  return contourPicture(challenge, valuesAt, paths);
}
