import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type AdafactorOptions, adafactor } from "./index.js";
import { each, frobenius, near, type Rows, runMatrix } from "./run-rule.fixture.js";

const start = [
  [0.5, -1, 2],
  [1, 0.25, -0.5],
];
const gradients = [
  [
    [1, -2, 0.5],
    [0.1, 3, -1],
  ],
  [
    [-0.5, 1, 2],
    [4, 0.2, 0.3],
  ],
  [
    [0, 0.1, -0.2],
    [1, 1, 1],
  ],
];

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const rms = (x: Rows): number => frobenius(x) / Math.sqrt(x.flat().length);

/** PyTorch's loop (`torch.optim.Adafactor`, which 1.13 does not have), in plain code and its order. */
function reference(options: AdafactorOptions & { lr?: number; weightDecay?: number }): Rows[] {
  const { lr = 0.01, beta2Decay = -0.8, eps2 = 1e-3, clip = 1, weightDecay = 0, factored = true } = options;
  const { eps1 = Number.EPSILON, maximize = false } = options;
  let p: Rows = start;
  let rows = start.map(() => 0);
  let columns = (start[0] as number[]).map(() => 0);
  let whole = each(start, () => 0);
  return gradients.map((given, i) => {
    const g = each(given, (x) => (maximize ? -x : x));
    const t = i + 1;
    const k = t ** beta2Decay;
    const rho = Math.min(lr, 1 / Math.sqrt(t));
    const alpha = Math.max(eps2, rms(p)) * rho;
    p = each(p, (x) => x * (1 - lr * weightDecay));
    rows = rows.map((r, a) => r + k * (mean((g[a] as number[]).map((x) => x * x)) - r));
    columns = columns.map((c, b) => c + k * (mean(g.map((row) => (row[b] as number) ** 2)) - c));
    whole = each(whole, (v, x) => v + k * (x * x - v), g);
    const variance = factored
      ? rows.map((r) => columns.map((c) => (r * c) / Math.max(mean(rows), eps1)))
      : whole;
    const u = each(g, (x, v) => x / Math.sqrt(Math.max(v, eps1 * eps1)), variance);
    const d = Math.max(1, rms(u) / clip);
    p = each(p, (x, y) => x - (alpha / d) * y, u);
    return p;
  });
}

const cases: (AdafactorOptions & { lr?: number; weightDecay?: number })[] = [
  {},
  { lr: 0.8, beta2Decay: -0.5, clip: 0.5 },
  { lr: 0.1, weightDecay: 0.1, maximize: true },
  { lr: 0.1, factored: false },
  { lr: 0.1, eps1: 0.5, eps2: 2 },
];

describe("adafactor", () => {
  it.each(cases)("takes PyTorch's steps with %o, eager and compiled", (options) => {
    const want = near(reference(options), (x) => expect.closeTo(x, 12));
    for (const compiled of [false, true]) {
      expect(runMatrix(adafactor(options), start, gradients, { compiled }).params).toEqual(want);
    }
  });

  it("is the unfactored one where the square of the gradient is the product of two vectors", () => {
    const [row, column] = [
      [1, 3],
      [2, 0.5, 1],
    ];
    const products = [0.5, -2, 1].map((scale) => row.map((a) => column.map((b) => scale * a * b)));
    const [factored, whole] = [true, false].map((one) =>
      runMatrix(adafactor({ lr: 0.1, factored: one }), start, products),
    );
    expect(factored?.params).toEqual(near(whole?.params as Rows[], (x) => expect.closeTo(x, 12)));
  });

  it("keeps n + m numbers of a matrix, and a vector whole", () => {
    const params = { w: tensor([[1, 2, 3]]), conv: tensor([[[[1, 2]]], [[[3, 4]]]]), b: tensor([1, 2]) };
    const { rows, columns } = adafactor().init(params).slots;
    expect([rows?.w.shape, columns?.w.shape]).toEqual([
      [1, 1],
      [1, 3],
    ]);
    expect([rows?.conv.shape, columns?.conv.shape]).toEqual([
      [2, 1, 1, 1],
      [2, 1, 1, 2],
    ]);
    expect([rows?.b.shape, columns?.b.shape]).toEqual([[2], [0]]);
  });

  it("names the leaf whose state has another shape", () => {
    const rule = adafactor();
    const state = rule.init({ w: tensor([[1, 2]]) });
    const params = { w: tensor([[1], [2]]) };
    const update = () => rule.update(params, state, { params });
    expect(update).toThrow("adafactor: the state's rows: w has shape [1, 1], expected [2, 1]");
  });

  it.each<[AdafactorOptions, string]>([
    [{ lr: -1 }, "lr must be a number of at least 0, got -1"],
    [{ clip: 0 }, "clip must be a number above 0, got 0"],
    [{ beta2Decay: 0.8 }, "beta2Decay must be a number of at most 0, got 0.8"],
    [{ eps2: -1 }, "eps2 must be a number of at least 0, got -1"],
  ])("refuses %o", (options, message) => {
    expect(() => adafactor(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => adafactor(options)).toThrow(`adafactor: ${message}`);
  });
});
