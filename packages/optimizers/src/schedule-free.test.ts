import { describe, expect, it } from "vitest";
import {
  type ScheduleFreeAdamwOptions,
  type ScheduleFreeOptions,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  sgd,
} from "./index.js";
import { each, near, type Rows, runMatrix } from "./run-rule.fixture.js";

const start = [[0.5, -1, 2]];
const gradients = [[[1, -2, 0.5]], [[-0.5, 1, 2]], [[0, 0.1, -0.2]], [[3, 1, 1]], [[1, 1, -1]]];

type Options = ScheduleFreeAdamwOptions & { readonly lr?: number; readonly weightDecay?: number };

/** The paper's equations, with x, y and z kept apart. */
function reference(adaptive: boolean, options: Options): { readonly y: Rows[]; readonly x: Rows[] } {
  const {
    lr = adaptive ? 0.0025 : 1,
    warmup = 0,
    beta = 0.9,
    weightDecay = 0,
    r = 0,
    weightPower = 2,
  } = options;
  const { beta2 = 0.999, eps = 1e-8 } = options;
  let [x, y, z]: Rows[] = [start, start, start];
  let v = each(start, () => 0);
  let [greatest, sum] = [0, 0];
  const seen = gradients.map((g, i) => {
    const t = i + 1;
    const rate = lr * (t <= warmup ? t / warmup : 1);
    v = each(v, (a, b) => beta2 * a + (1 - beta2) * b * b, g);
    const scaled = each(g, (a, b) => a / (Math.sqrt(b / (1 - beta2 ** t)) + eps), v);
    const d = each(adaptive ? scaled : g, (a, b) => a + weightDecay * b, y);
    z = each(z as Rows, (a, b) => a - rate * b, d);
    greatest = Math.max(greatest, rate);
    const weight = t ** r * greatest ** weightPower;
    sum += weight;
    const c = weight / sum;
    x = each(x as Rows, (a, b) => (1 - c) * a + c * b, z);
    y = each(z, (a, b) => (1 - beta) * a + beta * b, x);
    return [y, x] as const;
  });
  return { y: seen.map(([one]) => one), x: seen.map(([, one]) => one) };
}

describe.each([
  ["scheduleFreeSgd", scheduleFreeSgd, false],
  ["scheduleFreeAdamw", scheduleFreeAdamw, true],
] as const)("%s", (name, make, adaptive) => {
  const cases: Options[] = [
    {},
    { lr: 0.1, warmup: 3, weightDecay: 0.1 },
    { lr: 0.1, beta: 0.5, r: 1, weightPower: 0 },
    { lr: 0.1, beta: 1 },
  ];
  it.each(cases)("takes the paper's steps with %o, eager and compiled", (options) => {
    const want = reference(adaptive, options);
    for (const compiled of [false, true]) {
      const { params, evaluated } = runMatrix(make(options), start, gradients, { compiled });
      expect(params).toEqual(near(want.y, (value) => expect.closeTo(value, 12)));
      expect(evaluated).toEqual(near(want.x, (value) => expect.closeTo(value, 12)));
    }
  });

  it("evaluates with the parameters before the first update", () => {
    const rule = make();
    const { params } = runMatrix(make({ lr: 0 }), start, gradients.slice(0, 1));
    expect(params).toEqual([start]);
    expect(rule.name).toBe(name);
  });

  it.each<[ScheduleFreeOptions, string]>([
    [{ lr: -1 }, "lr must be a number of at least 0"],
    [{ beta: 0 }, "beta must be in (0, 1], got 0"],
    [{ warmup: -1 }, "warmup must be a whole number of at least 0"],
    [{ weightPower: -1 }, "weightPower must be a number of at least 0"],
  ])("refuses %o", (options, message) => {
    expect(() => make(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => make(options)).toThrow(`${name}: ${message}`);
  });
});

describe("scheduleFreeSgd at beta 1", () => {
  it("trains the mean of the steps of sgd itself, given the same gradients", () => {
    const plain = runMatrix(sgd({ lr: 0.1 }), start, gradients).params;
    const means = plain.map((_, i) =>
      plain
        .slice(0, i + 1)
        .reduce((a, b) => each(a, (p, q) => p + q, b))
        .map((row) => row.map((value) => value / (i + 1))),
    );
    const { params, evaluated } = runMatrix(scheduleFreeSgd({ lr: 0.1, beta: 1 }), start, gradients);
    expect(params).toEqual(near(means, (value) => expect.closeTo(value, 12)));
    expect(evaluated).toEqual(params);
  });
});
