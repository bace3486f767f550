import { key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { adamw, type SoapOptions, soap } from "./index.js";
import { orthonormal } from "./orthonormal.js";
import { each, near, type Rows, runMatrix, times, transposed } from "./run-rule.fixture.js";

const start = [
  [0.5, -1, 2],
  [1, 0.25, -0.5],
];
const gradients = [0.3, -1, 2, 0.7, 1.1].map((a, i) => [
  [1 + a, -2, 0.5 * i],
  [0.1, 3 * a, -1],
]);

/** Gram and Schmidt's columns, one by one. */
function columns(x: Rows): Rows {
  const done: number[][] = [];
  for (const column of transposed(x)) {
    let rest = column;
    for (const q of done) {
      const along = q.reduce((sum, a, i) => sum + a * (column[i] as number), 0);
      rest = rest.map((a, i) => a - along * (q[i] as number));
    }
    const norm = Math.hypot(...rest);
    done.push(rest.map((a) => a / norm));
  }
  return transposed(done);
}
const identity = (n: number): Rows =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
const norm = (x: Rows): number => Math.hypot(...x.flat());

/** The paper's algorithm 3, from directions of the identity. */
function reference(options: SoapOptions & { lr?: number; weightDecay?: number }): Rows[] {
  const { lr = 3e-3, beta1 = 0.95, beta2 = 0.95, shampooBeta = 0.95, eps = 1e-8, every = 10 } = options;
  const { weightDecay = 0.01 } = options;
  let [p, m, v]: Rows[] = [start, each(start, () => 0), each(start, () => 0)];
  let [l, r]: Rows[] = [each(identity(2), () => 0), each(identity(3), () => 0)];
  let [q, s]: Rows[] = [identity(2), identity(3)];
  const into = (x: Rows): Rows => times(times(transposed(q as Rows), x), s as Rows);
  return gradients.map((g, i) => {
    const t = i + 1;
    m = each(m as Rows, (a, b) => beta1 * a + (1 - beta1) * b, g);
    v = each(v as Rows, (a, b) => beta2 * a + (1 - beta2) * b * b, into(g));
    const scaled = each(into(m), (a, b) => a / (1 - beta1 ** t) / (Math.sqrt(b / (1 - beta2 ** t)) + eps), v);
    const d = times(times(q as Rows, scaled), transposed(s as Rows));
    p = each(p as Rows, (a, b) => a - lr * weightDecay * a - lr * b, d);
    l = each(l as Rows, (a, b) => shampooBeta * a + (1 - shampooBeta) * b, times(g, transposed(g)));
    r = each(r as Rows, (a, b) => shampooBeta * a + (1 - shampooBeta) * b, times(transposed(g), g));
    if (t % every === 0) {
      const ridged = (x: Rows, y: Rows): Rows =>
        columns(each(times(x, y), (a, b) => a + 1e-10 * norm(x) * b, y));
      [q, s] = [ridged(l, q as Rows), ridged(r, s as Rows)];
    }
    return p;
  });
}

describe("soap", () => {
  const cases: (SoapOptions & { lr?: number; weightDecay?: number })[] = [
    {},
    { lr: 0.1, every: 2, weightDecay: 0 },
    { lr: 0.1, every: 1, beta1: 0.5, beta2: 0.8, shampooBeta: 0.5, eps: 0.01 },
  ];
  it.each(cases)("takes the paper's steps with %o", (options) => {
    const want = near(reference(options), (x) => expect.closeTo(x, 6));
    const compiled = [{ compiled: true }, { compiled: true, told: true }];
    for (const how of options.every === 2 ? [{}, ...compiled] : [{}]) {
      expect(runMatrix(soap(options), start, gradients, how).params).toEqual(want);
    }
  });

  it("is AdamW until the directions are turned for the first time, and where axes are too long", () => {
    const options = { lr: 0.1, beta1: 0.95, beta2: 0.95, weightDecay: 0.1 };
    const want = near(runMatrix(adamw(options), start, gradients).params, (x) => expect.closeTo(x, 12));
    expect(runMatrix(soap({ ...options, every: 9 }), start, gradients).params).toEqual(want);
    expect(runMatrix(soap({ ...options, every: 1, maxSize: 1 }), start, gradients).params).toEqual(want);
  });

  it("does not mind how the parameter's axes are turned, once it follows the gradient's", () => {
    // Gradients U diag(d) V^T, with directions that settle at U and V: steps are U diag(signs) V^T.
    const [c, s] = [Math.cos(0.5), Math.sin(0.5)];
    const turn = [
      [c, -s],
      [s, c],
    ];
    const gradient = times(
      turn,
      times(
        [
          [3, 0],
          [0, 0.5],
        ],
        transposed(turn),
      ),
    );
    const rule = soap({ lr: 1, beta1: 0, beta2: 0, every: 1, weightDecay: 0 });
    const { params } = runMatrix(
      rule,
      [
        [0, 0],
        [0, 0],
      ],
      Array.from({ length: 30 }, () => gradient),
    );
    const step = each(params[29] as Rows, (a, b) => b - a, params[28] as Rows);
    expect(near([step], (x) => Math.round(x * 1e4) / 1e4 + 0)).toEqual([
      [
        [1, 0],
        [0, 1],
      ],
    ]);
  });

  it.each<[SoapOptions, string]>([
    [{ lr: -1 }, "lr must be a number of at least 0"],
    [{ shampooBeta: 1 }, "shampooBeta must be in [0, 1), got 1"],
    [{ every: 0 }, "every must be a whole number"],
  ])("refuses %o", (options, message) => {
    expect(() => soap(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => soap(options)).toThrow(`soap: ${message}`);
  });
});

describe("orthonormal", () => {
  it.each([1, 2, 5, 16])("makes %d orthonormal columns that span what the first ones span", (n) => {
    const x = key(n).normal([n, n], { dtype: "f64" });
    const q = orthonormal(x);
    const off = q
      .transpose()
      .matmul(q)
      .sub(tensor(identity(n), { dtype: "f64" }));
    expect(off.abs().max().item()).toBeLessThan(1e-13);
    const r = q.transpose().matmul(x).toArray() as Rows;
    r.forEach((row, i) => {
      expect(Math.max(0, ...row.slice(0, i).map(Math.abs))).toBeLessThan(1e-12);
      expect(row[i]).toBeGreaterThan(0);
    });
  });
});
