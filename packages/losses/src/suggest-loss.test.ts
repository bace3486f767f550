import type { Loss, Tensor } from "@gradus/core";
import { linear, logSoftmax, relu, sequential, sigmoid, softmax } from "@gradus/nn";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  bceWithLogits,
  type CrossEntropyOptions,
  corn,
  crossEntropy,
  type HuberOptions,
  huber,
  poissonNLL,
  type Suggestion,
  type SuggestLossOptions,
  suggestLoss,
  tobit,
} from "./index.js";

/** Numbers in (0, 1), the same in every run. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

const many = (n: number, draw: () => number): number[] => Array.from({ length: n }, draw);
const next = uniform(7);
const normal = () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
const cauchy = () => Math.tan(Math.PI * (next() - 0.5));
const poisson = (rate: number) => () => {
  let [k, product] = [0, next()];
  while (product > Math.exp(-rate)) {
    product *= next();
    k++;
  }
  return k;
};
const choose = (shares: readonly number[]) => () => {
  const x = next();
  let below = 0;
  const chosen = shares.findIndex((share) => {
    below += share;
    return x < below;
  });
  return Math.max(0, chosen);
};
const i32 = (values: number[] | number[][]) => tensor(values, { dtype: "i32" });
const suggest = (targets: Tensor, more: Omit<SuggestLossOptions, "targets"> = {}): Suggestion =>
  suggestLoss({ targets, ...more });

describe("suggestLoss of quantities", () => {
  it("normal ones: squared error", () => {
    for (const n of [50, 300, 2000]) expect(suggest(tensor(many(n, normal))).loss).toBe("mse");
    expect(suggest(tensor(many(500, () => 10 * next() - 5))).loss).toBe("mse");
    expect(suggest(tensor(Array.from({ length: 200 }, () => many(3, normal)))).lastLayer.units).toBe(3);
  });

  it("with some outliers: Huber, with a delta of 1.345 spreads", () => {
    const clean = many(400, normal);
    const suggestion = suggest(tensor(clean.map((x, i) => (i % 25 === 0 ? 40 * x : x))));
    expect(suggestion.loss).toBe("huber");
    if (suggestion.loss === "huber") expect(suggestion.options.delta).toBeCloseTo(1.345, 0);
    expect(suggestion.reasons[1]).toMatch(/^\d+(\.\d+)? % of the targets are outliers/);
    const [p, t] = [tensor([0, 0]), tensor([1, 30])];
    expect(suggestion(p, t).item()).toBe(huber(p, t, suggestion.options as HuberOptions).item());
    const single = suggest(tensor([...many(30, normal), 500]));
    expect(single.loss).toBe("huber");
  });

  it("with outliers, but a second derivative wanted: log-cosh", () => {
    expect(suggest(tensor([...many(100, normal), 50, -60]), { smooth: true }).loss).toBe("logCosh");
  });

  it("with tails so heavy that there may be no mean: absolute error", () => {
    expect(suggest(tensor(many(1000, cauchy))).loss).toBe("l1");
    expect(suggest(tensor(many(400, () => (next() < 0.25 ? 100 * normal() : normal())))).loss).toBe("l1");
  });

  it("positive over several decades: Poisson's loss of the logarithm", () => {
    const suggestion = suggest(tensor(many(500, () => Math.exp(1.5 * normal()))));
    expect(suggestion.loss).toBe("poissonNLL");
    expect(suggestion.lastLayer.description).toContain("output.exp()");
    const [p, t] = [tensor([0.5]), tensor([2])];
    expect(suggestion(p, t).item()).toBe(poissonNLL(p, t).item());
  });

  it("with many zeros: Poisson's loss, and why no logarithm", () => {
    const suggestion = suggest(tensor(many(500, () => (next() < 0.4 ? 0 : Math.exp(normal())))));
    expect(suggestion.loss).toBe("poissonNLL");
    expect(suggestion.reasons[1]).toMatch(/^\d+ % are exactly 0/);
  });

  it("cut off above or below: tobit, with the bounds", () => {
    const above = suggest(tensor(many(500, () => Math.min(1.2, 3 * normal() + 0.1))));
    expect(above.loss).toBe("tobit");
    expect(above.options).toEqual({ upper: expect.closeTo(1.2, 6) });
    expect(above.lastLayer.units).toBe(2);
    const below = suggest(tensor(many(500, () => Math.max(-1.5, normal()))));
    expect(below.options).toEqual({ lower: -1.5 });
    const both = suggest(tensor(many(500, () => Math.min(2.5, Math.max(1, 2 + normal())))));
    expect(both.options).toEqual({ lower: 1, upper: 2.5 });
    const [p, t] = [tensor([[0, 0]]), tensor([[-1.5]])];
    expect(below(p, t).item()).toBe(tobit(p, tensor([-1.5]), { lower: -1.5 }).item());
    expect(suggest(tensor(many(300, normal)), { censored: { upper: 1 } }).loss).toBe("tobit");
    expect(suggest(tensor(many(500, () => Math.min(1.2, normal()))), { censored: false }).loss).toBe("mse");
  });

  it("within 0 and 1: shares", () => {
    const suggestion = suggest(tensor(many(100, next)));
    expect(suggestion.loss).toBe("bceWithLogits");
    expect(suggestion.reasons.join()).toContain('task "regression"');
    expect(suggest(tensor(many(100, next)), { task: "regression" }).loss).toBe("mse");
  });

  it("with uncertainty or a quantile wanted: what predicts that", () => {
    const targets = tensor(many(100, normal));
    expect({ ...suggest(targets, { uncertainty: true }) }).toMatchObject({
      loss: "heteroscedastic",
      lastLayer: { units: 2 },
    });
    expect({ ...suggest(targets, { uncertainty: "evidence" }) }).toMatchObject({
      loss: "evidential",
      lastLayer: { units: 4 },
    });
    expect({ ...suggest(targets, { quantile: 0.9 }) }).toMatchObject({
      loss: "quantile",
      options: { q: 0.9 },
    });
    expect(() => suggest(targets, { quantile: 90 })).toThrow("quantile must be between 0 and 1, got 90");
  });
});

describe("suggestLoss of counts", () => {
  it.each([0.7, 3, 12])("Poisson's of rate %d, of either dtype", (rate) => {
    const values = many(600, poisson(rate));
    for (const targets of [tensor(values), i32(values)]) {
      const suggestion = suggest(targets);
      expect(suggestion.loss).toBe("poissonNLL");
      expect(suggestion.reasons[0]).toContain("counts");
    }
  });

  it("that vary more than Poisson's, or have too many zeros", () => {
    const spread = suggest(i32(many(800, () => poisson(4 * -Math.log(next()))())));
    expect(spread.loss).toBe("poissonNLL");
    expect(spread.reasons.join()).toMatch(/variance is [3-7](\.\d+)? times their mean/);
    const inflated = suggest(i32(many(800, () => (next() < 0.5 ? 0 : poisson(4)()))), { task: "counts" });
    expect(inflated.reasons.join()).toMatch(/are 0, where Poisson would have 1\d %/);
  });

  it("are classes if the last layer has that many outputs", () => {
    const values = many(600, poisson(1));
    const most = Math.max(...values);
    expect(suggest(i32(values), { output: { units: most + 1 } }).loss).toBe("crossEntropy");
    expect(suggest(i32(values), { output: { units: most } }).loss).toBe("corn");
    expect(suggest(i32(many(100, choose([0.5, 0.5, 0, 0])))).loss).toBe("bceWithLogits");
  });
});

describe("suggestLoss of classes", () => {
  it("as frequent as each other: cross-entropy without weights", () => {
    const suggestion = suggest(i32(many(300, choose([0.3, 0.3, 0.4]))));
    expect({ ...suggestion }).toMatchObject({
      loss: "crossEntropy",
      options: {},
      lastLayer: { units: 3, activation: "none" },
    });
  });

  it("uneven: weights of all / (classes * count), 1 on average", () => {
    const targets = i32([
      ...new Array(80).fill(0),
      ...new Array(15).fill(1),
      ...new Array(5).fill(2),
    ] as number[]);
    const suggestion = suggest(targets, { task: "classes" });
    if (suggestion.loss !== "crossEntropy") throw new Error(suggestion.loss);
    expect(suggestion.options.weight?.toArray()).toEqual(
      [100 / 240, 100 / 45, 100 / 15].map((w) => expect.closeTo(w, 5)),
    );
    expect(suggestion.reasons.join()).toContain("16 times as many samples");
    const logits = tensor(new Float32Array(300), { shape: [100, 3] });
    expect(suggestion(logits, targets).item()).toBeCloseTo(Math.log(3), 5);
  });

  it("named by other numbers, or on rows with a one: numbered from 0 for the loss", () => {
    const [p, classes] = [
      tensor([
        [1, 2, 4],
        [0.5, 0, 3],
      ]),
      i32([2, 0]),
    ];
    const want = crossEntropy(p, classes).item();
    const rows = [3, 1, 2, 1, 2, 3, 1, 2, 3, 1];
    const shifted = suggest(tensor(rows));
    expect(shifted.loss).toBe("crossEntropy");
    expect(shifted(p, tensor([3, 1])).item()).toBe(want);
    expect(shifted(p, tensor([[3], [1]])).item()).toBe(want);
    const gaps = suggest(i32(rows.map((c) => c * c - 3)), { task: "classes" });
    expect(gaps(p, i32([6, -2])).item()).toBe(want);
    expect(gaps.reasons[0]).toContain("-2, 1, 6, numbered from 0 for the loss");
    const hot = suggest(i32(rows.map((c) => [1, 2, 3].map((k) => (k === c ? 1 : 0)))));
    expect({ ...hot }).toMatchObject({ loss: "crossEntropy", lastLayer: { units: 3 } });
    expect(
      hot(
        p,
        i32([
          [0, 0, 1],
          [1, 0, 0],
        ]),
      ).item(),
    ).toBe(want);
  });

  it("are told from quantities by how many there are, and where they begin", () => {
    const ages = i32(many(900, () => 18 + Math.floor(60 * next())));
    expect(suggest(ages).loss).toBe("mse");
    const hundred = i32(Array.from({ length: 1000 }, (_, i) => i % 100));
    expect({ ...suggest(hundred) }).toMatchObject({ loss: "crossEntropy", lastLayer: { units: 100 } });
    expect(suggest(tensor(many(60, () => (next() < 0.5 ? 3 : 8)))).loss).toBe("bceWithLogits");
  });

  it("of images", () => {
    const map = i32(Array.from({ length: 12 }, () => many(12, choose([0.3, 0.3, 0.4])))).reshape([4, 6, 6]);
    const suggestion = suggest(map);
    expect(suggestion.loss).toBe("crossEntropy");
    expect(suggestion(tensor(new Float32Array(4 * 3 * 36), { shape: [4, 3, 6, 6] }), map).item()).toBeCloseTo(
      Math.log(3),
      6,
    );
  });

  it("that are never met are named, and have weight 1", () => {
    const suggestion = suggest(i32(many(100, choose([0.9, 0.1]))), { output: { units: 4 } });
    if (suggestion.loss !== "crossEntropy") throw new Error(suggestion.loss);
    expect(suggestion.warnings.join()).toContain("2 of 4 classes are never met");
    expect(suggestion.options.weight?.slice([2, 4]).toArray()).toEqual([1, 1]);
  });

  it("with wrong labels: smoothed", () => {
    const suggestion = suggest(i32(many(300, choose([0.3, 0.3, 0.4]))), { noisyLabels: true });
    expect(suggestion.options).toEqual({ labelSmoothing: 0.1 });
  });

  it("with an order: corn, with one output less", () => {
    const ratings = tensor(many(300, choose([0.1, 0.2, 0.3, 0.2, 0.2])).map((c) => c + 1));
    const suggestion = suggest(ratings, { ordered: true });
    expect({ ...suggestion }).toMatchObject({ loss: "corn", lastLayer: { units: 4 } });
    const logits = tensor([[1, 0, -1, 2]]);
    expect(suggestion(logits, tensor([3])).item()).toBe(corn(logits, i32([2])).item());
  });

  it("as distributions: cross-entropy of probabilities, or the earth mover's distance", () => {
    const rows = tensor(Array.from({ length: 30 }, (_, i) => [0.25, 0.5 - i / 100, 0.25 + i / 100]));
    expect({ ...suggest(rows) }).toMatchObject({ loss: "crossEntropy", lastLayer: { units: 3 } });
    expect({ ...suggest(rows, { ordered: true }) }).toMatchObject({
      loss: "earthMover",
      lastLayer: { activation: "softmax" },
    });
  });
});

describe("suggestLoss of yes and no", () => {
  it("both frequent: no weights, of either encoding", () => {
    const values = many(200, choose([0.5, 0.5]));
    const [p, t] = [tensor([[0.3], [-2]]), tensor([1, 0])];
    const want = bceWithLogits(p.squeeze(1), t).item();
    for (const [targets, one] of [
      [tensor(values), tensor([1, 0])],
      [i32(values), i32([1, 0])],
      [tensor(values.map((v) => v === 1)), tensor([true, false])],
      [tensor(values.map((v) => 2 * v - 1)), tensor([1, -1])],
    ] as const) {
      const suggestion = suggest(targets);
      expect({ ...suggestion }).toMatchObject({ loss: "bceWithLogits", options: {} });
      expect(suggestion(p, one).item()).toBe(want);
    }
  });

  it("uneven: posWeight of no per yes", () => {
    const suggestion = suggest(i32([...new Array(90).fill(0), ...new Array(10).fill(1)] as number[]));
    if (suggestion.loss !== "bceWithLogits") throw new Error(suggestion.loss);
    expect(suggestion.options.posWeight?.item()).toBe(9);
    const mostly = suggest(i32([...new Array(10).fill(0), ...new Array(90).fill(1)] as number[]));
    if (mostly.loss !== "bceWithLogits") throw new Error(mostly.loss);
    expect(mostly.options.posWeight?.item()).toBeCloseTo(1 / 9, 6);
  });

  it("extremely uneven: focal", () => {
    const rare = i32(Array.from({ length: 3000 }, (_, i) => (i % 500 === 0 ? 1 : 0)));
    expect({ ...suggest(rare) }).toMatchObject({ loss: "focal", options: { gamma: 2, alpha: 0.25 } });
  });

  it("several for each sample: one question each, with the rare ones' weights", () => {
    const even = suggest(i32(Array.from({ length: 200 }, () => many(3, choose([0.5, 0.5])))));
    expect({ ...even }).toMatchObject({ loss: "bceWithLogits", options: {}, lastLayer: { units: 3 } });
    const rows = Array.from({ length: 100 }, (_, i) => [i % 2, i % 10 === 0 ? 1 : 0, 0]);
    const uneven = suggest(i32(rows));
    if (uneven.loss !== "bceWithLogits") throw new Error(uneven.loss);
    expect(uneven.options.posWeight?.toArray()).toEqual([1, 9, 1]);
    expect(uneven.warnings).toEqual(["label 2 is never true: nothing can be learned about it"]);
  });

  it("for each pixel: by how many are marked", () => {
    const mask = (share: number) => tensor(many(4 * 400, choose([1 - share, share]))).reshape([4, 1, 20, 20]);
    expect(suggest(mask(0.4)).loss).toBe("bceWithLogits");
    expect({ ...suggest(mask(0.05)) }).toMatchObject({ loss: "dice", lastLayer: { activation: "sigmoid" } });
    expect({ ...suggest(mask(0.005)) }).toMatchObject({
      loss: "tversky",
      options: { alpha: 0.3, beta: 0.7 },
    });
  });
});

describe("suggestLoss looks at the output layer", () => {
  const classes = i32(many(300, choose([0.3, 0.3, 0.4])));
  const quantities = tensor(many(200, normal));

  it("and finds a softmax or sigmoid before a loss that has its own", () => {
    const model = sequential(linear(4, 8), relu(), linear(8, 3), softmax(1));
    expect(suggest(classes, { output: model }).warnings).toEqual([
      "remove the softmax at the end: crossEntropy takes logits and applies its own, and twice makes gradients vanish",
    ]);
    const yes = i32(many(100, choose([0.5, 0.5])));
    const two = sequential(linear(4, 1), sigmoid());
    expect(suggest(yes, { output: two }).warnings.join()).toContain("remove the sigmoid at the end");
  });

  it("and suggests nll after a logSoftmax", () => {
    const model = sequential(linear(4, 3), logSoftmax(1));
    const suggestion = suggest(classes, { output: model });
    expect({ ...suggestion }).toMatchObject({ loss: "nll", warnings: [] });
    const logits = tensor([[1, 2, 4]]);
    expect(suggestion(logits.logSoftmax(1), i32([2])).item()).toBeCloseTo(
      crossEntropy(logits, i32([2])).item(),
      6,
    );
  });

  it("and finds the wrong number of outputs", () => {
    expect(suggest(quantities, { output: linear(4, 2) }).warnings).toEqual([
      "the last layer has 2 outputs, mse needs 1",
    ]);
  });

  it("and finds activations that cannot reach the targets", () => {
    const half = expect.stringMatching(
      /^the relu at the end reaches 0 to Infinity only, and \d+ % of the targets are outside/,
    );
    expect(suggest(quantities, { output: sequential(linear(4, 1), relu()) }).warnings).toEqual([half]);
    expect(suggest(quantities, { output: { activation: "tanh" } }).warnings.join()).toContain("-1 to 1 only");
  });

  it("by what a network answers", () => {
    const logits = tensor(Array.from({ length: 20 }, () => many(3, normal)));
    const warned = (output: Tensor) => suggest(classes, { output }).warnings.join();
    expect(warned(logits)).toBe("");
    expect(warned(logits.softmax(1))).toContain("remove the softmax");
    expect(suggest(classes, { output: logits.logSoftmax(1) }).loss).toBe("nll");
    expect(warned(logits.sigmoid())).toContain("remove the sigmoid");
  });
});

describe("a suggestion", () => {
  const targets = i32(many(100, choose([0.3, 0.3, 0.4])));

  it("is a loss, compiled too, with the name telling the type of its options", () => {
    const suggestion = suggestLoss({ targets });
    expectTypeOf(suggestion).toExtend<Loss>();
    if (suggestion.loss === "crossEntropy")
      expectTypeOf(suggestion.options).toEqualTypeOf<CrossEntropyOptions>();
    if (suggestion.loss === "huber") expectTypeOf(suggestion.options).toEqualTypeOf<HuberOptions>();
    const logits = tensor(new Float32Array(300), { shape: [100, 3] });
    const loss: Loss = suggestion;
    expect(compile((p: Tensor, t: Tensor) => loss(p, t))(logits, targets).item()).toBeCloseTo(Math.log(3), 5);
    expect(loss(logits, targets, { reduction: "none" }).shape).toEqual([100]);
  });

  it("is told as text", () => {
    const text = String(suggestLoss({ targets }));
    expect(text.split("\n")[0]).toBe("crossEntropy(predictions, targets)");
    expect(text).toContain("last layer: 3 logits, without a softmax");
    expect(text).toContain("- the targets are 3 classes (0 to 2)");
    expect(text).toContain("or multiMargin: ");
  });

  it("warns of targets that say nothing", () => {
    const holes = suggest(tensor([...many(50, normal), Number.NaN, Number.POSITIVE_INFINITY]));
    expect(holes.warnings[0]).toContain("2 targets (3.8 %) are NaN or infinite");
    expect(suggest(tensor([5, 5, 5])).warnings).toEqual([
      "all targets are the same: there is nothing to learn",
    ]);
    expect(suggest(tensor([1.5, 2.5, -3])).warnings).toEqual(["3 targets are few to tell from"]);
    expect(() => suggest(tensor([Number.NaN]))).toThrow(
      "there are no targets to look at: 1 values, none finite",
    );
    expect(() => suggest([1, 2] as unknown as Tensor)).toThrow("targets must be a tensor");
  });

  it("refuses tasks that the targets cannot be of", () => {
    expect(() => suggest(tensor([0.5, 1]), { task: "classes" })).toThrow(
      'of the task "classes" must be whole numbers',
    );
    expect(() => suggest(tensor([-1, 1]), { task: "counts" })).toThrow(
      "must not be negative; they are from -1 to 1",
    );
    expect(() => suggest(tensor([0, 1, 2]), { task: "binary" })).toThrow("must have two values");
    expect(() => suggest(tensor([2, 1]), { task: "shares" })).toThrow("must be in [0, 1]");
    expect(() => suggest(tensor([2, 1]), { task: "guess" as "counts" })).toThrow('task "guess" is unknown');
  });
});
