import { tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type ShampooOptions, shampoo } from "./index.js";
import { inverseRoot } from "./inverse-root.js";
import { each, near, type Rows, runMatrix, times, transposed } from "./run-rule.fixture.js";

const start = [
  [0.5, -1],
  [1, 0.25],
];
const gradients = [
  [
    [1, -2],
    [0.1, 3],
  ],
  [
    [-0.5, 1],
    [4, 0.2],
  ],
  [
    [0, 0.1],
    [1, 1],
  ],
  [
    [1, 2],
    [-3, 0.5],
  ],
];

/** A power of a symmetric 2 x 2 matrix, from its eigenvalues and eigenvectors in closed form. */
function power(matrix: Rows, exponent: number): Rows {
  const [x, y, , z] = matrix.flat() as [number, number, number, number];
  const [mid, spread] = [(x + z) / 2, Math.hypot((x - z) / 2, y)];
  const angle = Math.atan2(2 * y, x - z) / 2;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const [e1, e2] = [(mid + spread) ** exponent, (mid - spread) ** exponent];
  return [
    [c * c * e1 + s * s * e2, c * s * (e1 - e2)],
    [c * s * (e1 - e2), s * s * e1 + c * c * e2],
  ];
}

/** The paper's algorithm 1, with momentum. */
function reference(options: ShampooOptions & { lr?: number; weightDecay?: number }): Rows[] {
  const { lr = 0.1, momentum = 0, beta2 = 1, eps = 1e-4, every = 1, weightDecay = 0, maxSize = 9 } = options;
  const sign = options.maximize ? -1 : 1;
  const identity = [
    [eps, 0],
    [0, eps],
  ];
  let [p, left, right, v]: Rows[] = [start, identity, identity, each(start, () => 0)];
  let [l, r]: Rows[] = [[], []];
  let sum = each(start, () => 0);
  return gradients.map((given, t) => {
    const g = each(given, (x, w) => sign * x + weightDecay * w, p);
    left = each(left as Rows, (x, y) => beta2 * x + y, times(g, transposed(g)));
    right = each(right as Rows, (x, y) => beta2 * x + y, times(transposed(g), g));
    sum = each(sum, (x, y) => beta2 * x + y * y, g);
    if (t % every === 0) [l, r] = [power(left, -1 / 4), power(right, -1 / 4)];
    const preconditioned = times(times(l as Rows, g), r as Rows);
    const diagonal = each(g, (x, y) => x / (Math.sqrt(y) + eps), sum);
    v = each(v as Rows, (x, y) => momentum * x + y, maxSize < 2 ? diagonal : preconditioned);
    p = each(p as Rows, (x, y) => x - lr * y, v);
    return p;
  });
}

describe("shampoo", () => {
  const cases: (ShampooOptions & { lr?: number; weightDecay?: number })[] = [
    {},
    { lr: 0.5, momentum: 0.9, beta2: 0.9, eps: 0.1 },
    { every: 2, weightDecay: 0.1, maximize: true },
    { maxSize: 1 },
  ];
  it.each(cases)("takes the paper's steps with %o", (options) => {
    const want = near(reference(options), (x) => expect.closeTo(x, 8));
    const compiled = [{ compiled: true }, { compiled: true, told: true }];
    for (const how of options.every === 2 ? [{}, ...compiled] : [{}]) {
      expect(runMatrix(shampoo(options), start, gradients, how).params).toEqual(want);
    }
  });

  it("preconditions one side where the other is too long", () => {
    const rule = shampoo({ lr: 1, maxSize: 2, eps: 1e-4 });
    const params = { w: tensor([[0, 0, 0]], { dtype: "f64" }) };
    const grads = { w: tensor([[1, 2, 2]], { dtype: "f64" }) };
    const { updates, state } = rule.update(grads, rule.init(params), { params });
    expect(state.slots.left?.w.shape).toEqual([1, 1]);
    expect(state.slots.right?.w.shape).toEqual([0, 0]);
    expect(updates.w.data()[1]).toBeCloseTo(-2 / Math.sqrt(9 + 1e-4), 10);
  });

  it("names its steps, and which roots to compute", () => {
    const rule = shampoo({ every: 3 });
    let state = rule.init({ w: tensor([[1]]) });
    const params = { w: tensor([[1]]) };
    const names = [0, 1, 2, 3].map(() => {
      const name = rule.variant?.(state);
      state = rule.update(params, state, { params }).state;
      return name;
    });
    expect(names).toEqual(["roots", "step", "step", "roots"]);
    expect(shampoo().variant).toBe(undefined);
  });

  it.each<[ShampooOptions, string]>([
    [{ lr: -1 }, "lr must be a number of at least 0"],
    [{ eps: 0 }, "eps must be a number above 0, got 0"],
    [{ beta2: 0 }, "beta2 must be in (0, 1], got 0"],
    [{ every: 0 }, "every must be a whole number"],
    [{ momentum: 1 }, "momentum must be in [0, 1), got 1"],
  ])("refuses %o", (options, message) => {
    expect(() => shampoo(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => shampoo(options)).toThrow(`shampoo: ${message}`);
  });
});

describe("inverseRoot", () => {
  it.each([2, 4] as const)("is the power -1/%d, over eight orders of magnitude of eigenvalues", (p) => {
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const [e1, e2] = [3e4, 2e-4];
    const rows = [
      [c * c * e1 + s * s * e2, c * s * (e1 - e2)],
      [c * s * (e1 - e2), s * s * e1 + c * c * e2],
    ];
    const root = inverseRoot(tensor(rows, { dtype: "f64" }), p).toArray() as Rows;
    const want = power(rows, -1 / p);
    root.flat().forEach((value, i) => {
      expect(Math.abs(value / (want.flat()[i] as number) - 1)).toBeLessThan(1e-3);
    });
  });

  it("is finite for a matrix of rank one in f32", () => {
    const root = inverseRoot(
      tensor([
        [1, 2],
        [2, 4],
      ]),
      4,
    );
    expect(root.isFinite().all().item()).toBe(1);
    const large = root.matmul(tensor([1, 2]));
    expect(large.data()[0]).toBeCloseTo(5 ** -0.25, 3);
  });
});
