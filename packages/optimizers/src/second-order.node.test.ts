import { describeMethod } from "./describe-method.fixture.js";
import {
  bfgs,
  conjugateGradient,
  gradientDescent,
  lbfgs,
  lbfgsb,
  newton,
  newtonCG,
  trustRegion,
} from "./index.js";

describeMethod("gradientDescent", {
  make: () => gradientDescent(),
  makeShort: () => gradientDescent({ maxIterations: 3, lineSearch: "strong-wolfe" }),
  refused: [
    [() => gradientDescent({ initialStep: -1 }), "initialStep must be a number of at least 0, got -1"],
    [() => gradientDescent({ gradientTolerance: Number.NaN }), "gradientTolerance must be"],
    [
      () => gradientDescent({ maxIterations: 0 }),
      "maxIterations must be a whole number of at least 1, got 0",
    ],
    [
      () => gradientDescent({ lineSearch: "wolfe" as "backtracking" }),
      'lineSearch must be "strong-wolfe" or "backtracking", got "wolfe"',
    ],
  ],
});

describeMethod("conjugateGradient", {
  make: () => conjugateGradient(),
  makeShort: () => conjugateGradient({ maxIterations: 3 }),
  refused: [[() => conjugateGradient({ maxIterations: 1.5 }), "maxIterations must be"]],
});

describeMethod("bfgs", {
  make: () => bfgs(),
  makeShort: () => bfgs({ maxIterations: 3 }),
  refused: [[() => bfgs({ gradientTolerance: -1 }), "gradientTolerance must be"]],
});

describeMethod("lbfgs", {
  make: () => lbfgs(),
  makeShort: () => lbfgs({ iterationsPerStep: 2, maxIterations: 3 }),
  refused: [
    [() => lbfgs({ lr: -1 }), "lr must be a number of at least 0, got -1"],
    [() => lbfgs({ history: 0 }), "history must be a whole number of at least 1, got 0"],
    [() => lbfgs({ iterationsPerStep: 0 }), "iterationsPerStep must be"],
    [() => lbfgs({ evaluationsPerStep: 0 }), "evaluationsPerStep must be"],
    [() => lbfgs({ changeTolerance: -1 }), "changeTolerance must be"],
    [
      () => lbfgs({ lineSearch: "wolfe" as "none" }),
      'lineSearch must be "strong-wolfe" or "none", got "wolfe"',
    ],
  ],
});

describeMethod("lbfgsb", {
  make: () => lbfgsb(),
  makeShort: () => lbfgsb({ maxIterations: 3, lower: -5, upper: 5 }),
  refused: [
    [() => lbfgsb({ history: 0 }), "history must be"],
    [() => lbfgsb({ lower: 1, upper: 0 }), "lower must be at most upper, got 1 and 0"],
    [() => lbfgsb({ lower: Number.NaN }), "lower must be a number or a tree like the parameters, got NaN"],
  ],
});

describeMethod("newton", {
  make: () => newton(),
  makeShort: () => newton({ maxIterations: 3, lineSearch: "strong-wolfe", damping: 0.1 }),
  refused: [[() => newton({ damping: -1 }), "damping must be"]],
});

describeMethod("newtonCG", {
  make: () => newtonCG(),
  makeShort: () => newtonCG({ maxIterations: 3 }),
  refused: [[() => newtonCG({ maxIterations: -1 }), "maxIterations must be"]],
});

for (const subproblem of ["exact", "steihaug"] as const) {
  describeMethod("trustRegion", {
    make: () => trustRegion({ subproblem }),
    makeShort: () => trustRegion({ subproblem, maxIterations: 3 }),
    refused: [
      [
        () => trustRegion({ initialRadius: 0 }),
        "initialRadius must be above 0 and at most maxRadius (1000), got 0",
      ],
      [
        () => trustRegion({ subproblem: "cg" as "exact" }),
        'subproblem must be "exact" or "steihaug", got "cg"',
      ],
    ],
  });
}
