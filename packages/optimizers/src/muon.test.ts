import { tensor, zeros } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type MuonOptions, muon, newtonSchulz } from "./index.js";
import { each, frobenius, near, type Rows, runMatrix, times, transposed } from "./run-rule.fixture.js";

const f64 = (rows: Rows) => tensor(rows, { dtype: "f64" });
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

/** PyTorch's iteration for a matrix that is not tall, in plain code. */
function orthogonalized(x: Rows): Rows {
  let y = each(x, (a) => a / Math.max(frobenius(x), 1e-7));
  for (let i = 0; i < 5; i++) {
    const gram = times(y, transposed(y));
    const update = each(gram, (a, b) => -4.775 * a + 2.0315 * b, times(gram, gram));
    y = each(y, (a, b) => 3.4445 * a + b, times(update, y));
  }
  return y;
}

/** PyTorch's loop (`torch.optim.Muon`, which 1.13 does not have) in float64. */
function reference(options: MuonOptions & { lr?: number; weightDecay?: number }, tall: boolean): Rows[] {
  const { lr = 1e-3, momentum = 0.95, nesterov = true, weightDecay = 0.1, fit = "original" } = options;
  const sign = options.maximize ? -1 : 1;
  const turn = (x: Rows): Rows => (tall ? transposed(x) : x);
  let p: Rows = turn(start);
  let m = each(start, () => 0);
  const [a, b] = [p.length, (p[0] as number[]).length];
  const factor = fit === "original" ? Math.sqrt(Math.max(1, a / b)) : 0.2 * Math.sqrt(Math.max(a, b));
  return gradients.map((given) => {
    const g = each(given, (x) => sign * x);
    m = each(m, (x, y) => momentum * x + (1 - momentum) * y, g);
    const ahead = nesterov ? each(m, (x, y) => momentum * x + (1 - momentum) * y, g) : m;
    p = each(p, (x) => x * (1 - lr * weightDecay));
    p = each(p, (x, u) => x - lr * factor * u, turn(orthogonalized(ahead)));
    return p;
  });
}

describe("muon", () => {
  const cases: (MuonOptions & { lr?: number; weightDecay?: number })[] = [
    {},
    { lr: 0.1, momentum: 0.5, nesterov: false, weightDecay: 0 },
    { lr: 0.1, fit: "adamw", maximize: true },
  ];
  it.each(cases)(
    "takes PyTorch's steps with %o, for wide and tall matrices, eager and compiled",
    (options) => {
      for (const tall of [false, true]) {
        const turn = (x: Rows): Rows => (tall ? transposed(x) : x);
        const want = near(reference(options, tall), (x) => expect.closeTo(x, 11));
        for (const compiled of [false, true]) {
          const got = runMatrix(muon(options), turn(start), gradients.map(turn), { compiled });
          expect(got.params).toEqual(want);
        }
      }
    },
  );

  it("takes a convolution's weight as the matrix of its outputs", () => {
    const rule = muon({ lr: 0.1 });
    const flat = {
      w: tensor([
        [1, 2, 3, 4],
        [0, 1, 0, -1],
      ]),
    };
    const conv = { w: flat.w.reshape([2, 1, 2, 2]) };
    const [a, b] = [flat, conv].map((params) => rule.update(params, rule.init(params), { params }).updates.w);
    expect(b?.shape).toEqual([2, 1, 2, 2]);
    expect(Array.from(b?.data() ?? [])).toEqual(Array.from(a?.data() ?? []));
  });

  it("refuses vectors, naming the path and the mend", () => {
    const init = () => muon().init({ w: zeros([2, 2]), layers: [{ bias: zeros([3]) }] });
    expect(init).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
    expect(init).toThrow(
      "muon: parameter layers.0.bias has shape [3], and muon is for matrices. Give it another rule in partition()",
    );
  });

  it.each<[MuonOptions, string]>([
    [{ lr: -1 }, "lr must be a number of at least 0"],
    [{ momentum: 1 }, "momentum must be in [0, 1), got 1"],
    [{ steps: 0.5 }, "steps must be a whole number"],
    [{ fit: "none" as "adamw" }, "fit must be original or adamw, got none"],
    [{ coefficients: [1, 2] as unknown as [1, 2, 3] }, "coefficients must be three numbers, got 1, 2"],
  ])("refuses %o", (options, message) => {
    expect(() => muon(options)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => muon(options)).toThrow(`muon: ${message}`);
  });
});

describe("newtonSchulz", () => {
  const random = f64([
    [1, 0.3, -0.2, 0.5],
    [0.1, -2, 0.4, 0.3],
    [0.7, 0.2, 0.9, -0.4],
  ]);

  it("moves all singular values near 1 with the default coefficients", () => {
    const x = newtonSchulz(random, { steps: 8 });
    // Of eigenvalues of X X^T within [0.68, 1.13]^2 the trace and the trace of the square tell as much as is needed here.
    const gram = times(x.toArray() as Rows, transposed(x.toArray() as Rows));
    for (let i = 0; i < 3; i++) {
      const off = gram[i]?.reduce((sum, a, j) => sum + (i === j ? 0 : Math.abs(a)), 0) as number;
      const centre = gram[i]?.[i] as number;
      // Gershgorin: every eigenvalue is within these discs.
      expect(Math.sqrt(Math.max(0, centre - off))).toBeGreaterThan(0.6);
      expect(Math.sqrt(centre + off)).toBeLessThan(1.25);
    }
  });

  it("gives the orthogonal factor with coefficients that converge", () => {
    const x = newtonSchulz(random, { coefficients: [1.875, -1.25, 0.375], steps: 20 });
    const gram = times(x.toArray() as Rows, transposed(x.toArray() as Rows));
    gram.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(i === j ? 1 : 0, 12);
      });
    });
    // The factor U V^T of U S V^T makes the symmetric U S U^T of the matrix.
    const symmetric = times(random.toArray() as Rows, transposed(x.toArray() as Rows));
    expect(symmetric[0]?.[1]).toBeCloseTo(symmetric[1]?.[0] as number, 12);
    expect(symmetric[2]?.[1]).toBeCloseTo(symmetric[1]?.[2] as number, 12);
  });

  it("leaves zeros as they are", () => {
    expect(newtonSchulz(f64([[0, 0]])).toArray()).toEqual([[0, 0]]);
  });
});
