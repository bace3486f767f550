import { describeOptimizer, type OptimizerSuiteOptions } from "@gradus/conformance";
import type { Rule } from "@gradus/core";
import {
  accumulate,
  adabelief,
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  asgd,
  centralize,
  chain,
  clipByBlock,
  clipByGlobalNorm,
  clipByValue,
  ema,
  gradientNoise,
  guarded,
  lamb,
  lars,
  lion,
  lookahead,
  muon,
  nadam,
  partition,
  radam,
  reduceOnPlateau,
  rmsprop,
  rprop,
  sam,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  sgd,
  shampoo,
  soap,
  sophia,
  swa,
  transform,
  yogi,
} from "./index.js";

// All rules and wrappers of this package, as those of another package would be tested.

type Make = (options: { readonly lr: number }) => Rule;

const rules: readonly (readonly [name: string, make: Make, options?: OptimizerSuiteOptions])[] = [
  ["sgd", sgd],
  ["sgd with momentum", (o) => sgd({ ...o, momentum: 0.9, nesterov: true, weightDecay: 1e-3 })],
  ["adam", (o) => adam({ ...o, amsgrad: true })],
  ["adamw", adamw],
  ["nadam", nadam],
  ["radam", radam],
  ["adamax", adamax],
  ["adagrad", adagrad, { lr: 0.2 }],
  ["adadelta", adadelta, { lr: 5 }],
  ["rmsprop", (o) => rmsprop({ ...o, centered: true, momentum: 0.5 }), { lr: 0.01 }],
  // Its learning rate is the first step's size, and its steps have a least size.
  ["rprop", (o) => rprop({ ...o, minStep: 0 }), { schedules: false }],
  ["asgd", (o) => asgd({ ...o, averageFrom: 10 })],
  ["lion", lion, { lr: 0.02 }],
  ["lamb", lamb],
  ["lars", lars, { lr: 10 }],
  ["adabelief", adabelief],
  ["yogi", yogi],
  ["adafactor", adafactor, { lr: 0.2, steps: 150 }],
  ["muon", (o) => muon({ ...o, weightDecay: 0.01 }), { vectors: false }],
  ["shampoo", (o) => shampoo({ ...o, every: 5, momentum: 0.5 }), { steps: 50 }],
  ["soap", (o) => soap({ ...o, every: 5 }), { steps: 60 }],
  ["sophia", (o) => sophia({ ...o, gamma: 1, weightDecay: 0, every: 3 })],
  ["scheduleFreeSgd", scheduleFreeSgd, { lr: 0.5 }],
  ["scheduleFreeAdamw", (o) => scheduleFreeAdamw({ ...o, warmup: 3 }), { lr: 0.1 }],
  ["ema", (o) => ema(adam(o), { decay: 0.5 })],
  ["swa", (o) => swa(adam(o), { from: 50, every: 2 })],
  ["lookahead", (o) => lookahead(adam(o), { every: 3 })],
  ["reduceOnPlateau", (o) => reduceOnPlateau(adam(o))],
  ["sam", (o) => sam(sgd(o), { rho: 0.1 })],
  ["accumulate", (o) => accumulate(adam(o), { every: 3 }), { lr: 0.1 }],
  [
    "accumulate of sophia",
    (o) => accumulate(sophia({ ...o, gamma: 1, every: 2 }), { every: 2 }),
    { lr: 0.1 },
  ],
  ["guarded", (o) => guarded(adam(o))],
  [
    "partition",
    (o) =>
      partition({ matrices: muon(o), others: adam(o) }, (path) =>
        path.at(-1) === "weight" ? "matrices" : "others",
      ),
  ],
  [
    "chain",
    (o) =>
      chain(
        transform("centralize", centralize),
        transform("agc", (grads, { params }) => clipByBlock(grads, params, { clip: 1 })),
        transform("norm", (grads) => clipByGlobalNorm(grads, 10).grads),
        transform("value", (grads) => clipByValue(grads, 1)),
        gradientNoise({ eta: 1e-3 }),
        sophia({ ...o, gamma: 1, every: 2 }),
      ),
    { reaches: 0.9 },
  ],
];

for (const [name, make, options] of rules) describeOptimizer(name, make, options);
