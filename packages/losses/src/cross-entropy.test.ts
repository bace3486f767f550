import { grad, gradcheck, valueAndGrad } from "@gradus/autograd";
import { interpreter, type Loss, type Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type CrossEntropyOptions, crossEntropy } from "./index.js";

type Values = number | number[] | number[][] | number[][][];
const f64 = (values: Values) => tensor(values, { dtype: "f64" });
const i32 = (values: Values) => tensor(values, { dtype: "i32" });

/** Minus the log-probability of each class, in plain numbers. */
function costs(logits: number[]): number[] {
  const log = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  return logits.map((x) => log - x);
}

const rows = [
  [0.2, 0.5, 0.3],
  [0.8, 0.1, 0.1],
  [0.1, 0.2, 0.7],
];
const cost = rows.map(costs);
const at = (row: number, column: number) => cost[row]?.[column] as number;

describe("crossEntropy of class indices", () => {
  it("is 0.799169 for the course's three rows with classes [1, 0, 2]", () => {
    const exact = (at(0, 1) + at(1, 0) + at(2, 2)) / 3;
    expect(exact.toFixed(6)).toBe("0.799169");
    expect(crossEntropy(f64(rows), i32([1, 0, 2])).item()).toBeCloseTo(exact, 14);
    expect(
      crossEntropy(tensor(rows), i32([1, 0, 2]))
        .item()
        .toFixed(6),
    ).toBe("0.799169");
  });

  it("has the gradient (softmax - one-hot) / N", () => {
    const gradient = grad((x: Tensor) => crossEntropy(x, i32([1, 0, 2])))(f64(rows)).data();
    [1, 0, 2].forEach((target, row) => {
      for (let c = 0; c < 3; c++) {
        const want = (Math.exp(-at(row, c)) - (c === target ? 1 : 0)) / 3;
        expect(gradient[row * 3 + c]).toBeCloseTo(want, 14);
      }
    });
  });

  it.each(["f32", "f64"] as const)("is exact for logits of 10,000, value and gradient, in %s", (dtype) => {
    const logits = tensor(
      [
        [1e4, -1e4, 0],
        [1e4, -1e4, 0],
        [-1e4, -1e4, -1e4],
      ],
      { dtype },
    );
    const targets = i32([0, 1, 2]);
    const loss = crossEntropy(logits, targets, { reduction: "none" }).data();
    [0, 20000, Math.log(3)].forEach((want, i) => {
      expect(loss[i]).toBeCloseTo(want, 6);
    });
    const gradient = grad((x: Tensor) => crossEntropy(x, targets, { reduction: "sum" }))(logits).data();
    [0, 0, 0, 1, -1, 0, 1 / 3, 1 / 3, -2 / 3].forEach((want, i) => {
      expect(gradient[i]).toBeCloseTo(want, 6);
    });
  });

  it("gives a class with logit -Infinity no probability and no gradient", () => {
    const logits = f64([[0.5, -Infinity, 1]]);
    expect(crossEntropy(logits, i32([0])).item()).toBeCloseTo(Math.log1p(Math.exp(0.5)), 14);
    const gradient = grad((x: Tensor) => crossEntropy(x, i32([0])))(logits).data();
    expect(gradient[1]).toBe(0);
    expect(gradient[2]).toBeCloseTo(1 / (1 + Math.exp(-0.5)), 14);
  });

  it("leaves ignored targets out of the sum, the count and the gradient", () => {
    const targets = i32([1, -100, 2]);
    expect(crossEntropy(f64(rows), targets).item()).toBeCloseTo((at(0, 1) + at(2, 2)) / 2, 14);
    expect(crossEntropy(f64(rows), targets, { reduction: "none" }).data()[1]).toBe(0);
    const gradient = grad((x: Tensor) => crossEntropy(x, targets))(f64(rows)).data();
    expect(Array.from(gradient.slice(3, 6), Math.abs)).toEqual([0, 0, 0]);
    const other = crossEntropy(f64(rows), i32([1, 0, 2]), { ignoreIndex: 0 });
    expect(other.item()).toBeCloseTo((at(0, 1) + at(2, 2)) / 2, 14);
  });

  it("is NaN as a mean of nothing, with a gradient of 0, and 0 as a sum", () => {
    const ignored = i32([-100, -100, -100]);
    expect(crossEntropy(f64(rows), ignored).item()).toBeNaN();
    expect(crossEntropy(f64(rows), ignored, { reduction: "sum" }).item()).toBe(0);
    const gradient = grad((x: Tensor) => crossEntropy(x, ignored))(f64(rows)).data();
    expect(Array.from(gradient, Math.abs)).toEqual(new Array(9).fill(0));
    const empty = tensor(new Float64Array(0), { shape: [0, 3] });
    const none = tensor(new Int32Array(0), { shape: [0] });
    expect(crossEntropy(empty, none).item()).toBeNaN();
    expect(crossEntropy(empty, none, { reduction: "sum" }).item()).toBe(0);
  });

  it("weights classes: the mean divides by the targets' weights", () => {
    const options = { weight: f64([1, 2, 0.5]) };
    const weighted = 2 * at(0, 1) + at(1, 0) + 0.5 * at(2, 2);
    expect(crossEntropy(f64(rows), i32([1, 0, 2]), options).item()).toBeCloseTo(weighted / 3.5, 14);
    const sum = crossEntropy(f64(rows), i32([1, 0, 2]), { ...options, reduction: "sum" });
    expect(sum.item()).toBeCloseTo(weighted, 14);
  });

  it("smooths labels: the part of each target is spread over all classes", () => {
    const spread = cost.map((row) => row.reduce((a, b) => a + b, 0) / 3);
    const want = 0.7 * ((at(0, 1) + at(1, 0) + at(2, 2)) / 3) + 0.3 * (spread.reduce((a, b) => a + b, 0) / 3);
    const loss = crossEntropy(f64(rows), i32([1, 0, 2]), { labelSmoothing: 0.3 });
    expect(loss.item()).toBeCloseTo(want, 14);
  });

  it("weights samples together with classes", () => {
    const loss = crossEntropy(f64(rows), i32([1, 0, 2]), {
      weight: f64([1, 2, 0.5]),
      sampleWeight: f64([1, 0, 4]),
    });
    expect(loss.item()).toBeCloseTo((2 * at(0, 1) + 4 * 0.5 * at(2, 2)) / (2 + 2), 14);
  });

  it("has the classes on axis 1 of images, and on axis 0 of a single sample", () => {
    // [2, 3, 2]: sample, class, position
    const logits = f64([
      [
        [0.2, 0.8],
        [0.5, 0.1],
        [0.3, 0.1],
      ],
      [
        [0.1, 0.2],
        [0.2, 0.5],
        [0.7, 0.3],
      ],
    ]);
    const loss = crossEntropy(
      logits,
      i32([
        [1, 0],
        [2, 1],
      ]),
      { reduction: "none" },
    );
    expect(loss.shape).toEqual([2, 2]);
    [at(0, 1), at(1, 0), at(2, 2), at(0, 1)].forEach((want, i) => {
      expect(loss.data()[i]).toBeCloseTo(want, 14);
    });
    const single = crossEntropy(f64([0.2, 0.5, 0.3]), i32(1));
    expect(single.shape).toEqual([]);
    expect(single.item()).toBeCloseTo(at(0, 1), 14);
  });

  it("passes gradcheck with all options together", () => {
    const inputs = { x: f64(rows), weight: f64([0.5, 2, 1]), sampleWeight: f64([1, 2, 0.25]) };
    for (const reduction of ["none", "sum", "mean"] as const) {
      gradcheck(
        ({ x, ...weights }) =>
          crossEntropy(x, i32([1, -100, 2]), { ...weights, labelSmoothing: 0.2, reduction }),
        inputs,
      );
    }
  });

  it("can be differentiated twice: the Hessian of one row is diag(p) - p p^T", () => {
    const f = (x: Tensor) => crossEntropy(x, i32([1]));
    const first = (x: Tensor) =>
      grad(f)(x)
        .mul(f64([[1, 0, 0]]))
        .sum();
    const hessianRow = grad(first)(f64([rows[0] as number[]])).data();
    const p = (cost[0] as number[]).map((c) => Math.exp(-c));
    const [p0] = p as [number, number, number];
    p.forEach((pc, c) => {
      expect(hessianRow[c]).toBeCloseTo((c === 0 ? p0 : 0) - p0 * pc, 12);
    });
  });

  it("is the same compiled, with its gradient", () => {
    const options = { weight: tensor([1, 2, 0.5]), labelSmoothing: 0.1 };
    const targets = i32([1, -100, 2]);
    const loss = (x: Tensor, t: Tensor) => crossEntropy(x, t, options);
    const gradient = (x: Tensor, t: Tensor) => grad((y: Tensor) => loss(y, t))(x);
    expect(compile(loss)(tensor(rows), targets).item()).toBeCloseTo(loss(tensor(rows), targets).item(), 6);
    const eager = gradient(tensor(rows), targets).data();
    compile(gradient)(tensor(rows), targets)
      .data()
      .forEach((g, i) => {
        expect(g).toBeCloseTo(eager[i] as number, 6);
      });
  });
});

describe("crossEntropy of probabilities", () => {
  const targets = [
    [0.5, 0.25, 0.25],
    [1, 0, 0],
    [0.1, 0.3, 0.6],
  ];
  const weights = [1, 2, 0.5];
  const terms = (f: (row: number, column: number) => number) =>
    [0, 1, 2].map((row) => [0, 1, 2].reduce((sum, c) => sum + f(row, c) * at(row, c), 0));
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const target = (row: number, column: number) => targets[row]?.[column] as number;

  it("is the expected cost of the classes, averaged over the samples", () => {
    expect(crossEntropy(f64(rows), f64(targets)).item()).toBeCloseTo(mean(terms(target)), 14);
  });

  it("agrees with class indices on one-hot rows", () => {
    const oneHot = i32([1, 0, 2]).oneHot(3).cast("f64");
    const indices = crossEntropy(f64(rows), i32([1, 0, 2]));
    expect(crossEntropy(f64(rows), oneHot).item()).toBeCloseTo(indices.item(), 14);
  });

  it("weights classes without changing the mean's denominator, and smooths labels", () => {
    const options = { weight: f64(weights), labelSmoothing: 0.3 };
    const want = mean(terms((row, c) => (weights[c] as number) * (0.7 * target(row, c) + 0.1)));
    expect(crossEntropy(f64(rows), f64(targets), options).item()).toBeCloseTo(want, 14);
  });

  it("weights samples", () => {
    const [a, , c] = terms(target) as [number, number, number];
    const loss = crossEntropy(f64(rows), f64(targets), { sampleWeight: f64([1, 0, 3]) });
    expect(loss.item()).toBeCloseTo((a + 3 * c) / 4, 14);
  });

  it("passes gradcheck by logits and targets", () => {
    const weight = f64(weights);
    for (const reduction of ["none", "sum", "mean"] as const) {
      gradcheck(
        ({ x, t }) => crossEntropy(x, t, { weight, labelSmoothing: 0.2, reduction, validate: false }),
        { x: f64(rows), t: f64(targets) },
      );
    }
  });
});

describe("crossEntropy refuses", () => {
  const logits = tensor([
    [1, 2, 3],
    [1, 2, 3],
  ]);

  it.each([3, -1])("class %d, naming its row", (wrong) => {
    const call = () => crossEntropy(logits, i32([0, wrong]));
    expect(call).toThrow(expect.objectContaining({ code: "index-out-of-range" }));
    expect(call).toThrow(
      `crossEntropy: target ${wrong} at row 1 is not a class: there are 3 of them, 0 to 2`,
    );
  });

  it("to read out of bounds for a class that does not exist, where values are not looked at", () => {
    const unchecked = () => crossEntropy(logits, i32([0, 7]), { validate: false, reduction: "none" }).data();
    expect(unchecked).toThrow(expect.objectContaining({ code: "index-out-of-range" }));
    const compiled = compile((t: Tensor) => crossEntropy(logits, t, { reduction: "none" }));
    expect(() => compiled(i32([0, 7])).data()).toThrow(
      expect.objectContaining({ code: "index-out-of-range" }),
    );
  });

  it("to look at values while compiling, even if told to", () => {
    const insisting = compile((t: Tensor) => crossEntropy(logits, t, { validate: true }));
    expect(() => insisting(i32([0, 1]))).toThrow(expect.objectContaining({ code: "value-in-trace" }));
  });

  it("shapes that do not fit, with the mend", () => {
    const cases: [Tensor, Tensor, string][] = [
      [logits, i32([0, 1, 2]), "There are 2 samples and 3 targets"],
      [logits, i32([[0], [1]]), "targets.reshape([2])"],
      [tensor([1, 2]), i32([[0, 1]]), "bceWithLogits"],
      [
        tensor([
          [
            [1, 2, 3],
            [1, 2, 3],
          ],
        ]),
        i32([[0, 1]]),
        "classes on the last axis",
      ],
      [
        logits,
        tensor([
          [1, 0],
          [0, 1],
        ]),
        "expected class indices [2] (i32) or probabilities [2, 3]",
      ],
    ];
    for (const [x, t, message] of cases) {
      expect(() => crossEntropy(x, t)).toThrow(expect.objectContaining({ code: "shape-mismatch" }));
      expect(() => crossEntropy(x, t)).toThrow(message);
    }
    expect(() => crossEntropy(tensor(1), i32(0))).toThrow("0-dimensional");
  });

  it("dtypes that do not fit, with the mend", () => {
    expect(() => crossEntropy(logits, tensor([0, 1]))).toThrow("class indices must be i32, got f32");
    expect(() =>
      crossEntropy(
        logits,
        i32([
          [0, 1, 0],
          [1, 0, 0],
        ]),
      ),
    ).toThrow('One-hot rows: targets.cast("f32")');
    expect(() => crossEntropy(i32([0, 1]), logits)).toThrow(
      "Are the arguments swapped? crossEntropy(logits, targets)",
    );
  });

  it("options out of range", () => {
    const targets = i32([0, 1]);
    const probabilities = tensor([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const cases: [Tensor, CrossEntropyOptions, string][] = [
      [targets, { labelSmoothing: 1.5 }, "labelSmoothing must be in [0, 1], got 1.5"],
      [targets, { labelSmoothing: Number.NaN }, "labelSmoothing must be in [0, 1], got NaN"],
      [targets, { weight: tensor([1, 2]) }, "weight [2] must have one number for each of 3 classes"],
      [targets, { weight: tensor([1, -2, 1]) }, "weight must not be negative, got -2 at row 1"],
      [targets, { ignoreIndex: 0.5 }, "ignoreIndex must be a whole number"],
      [probabilities, { ignoreIndex: 1 }, "ignoreIndex means nothing for probabilities"],
      [
        targets,
        { sampleWeight: tensor([1]) },
        "sampleWeight has shape [1]: expected one weight per loss, [2]",
      ],
    ];
    for (const [t, options, message] of cases)
      expect(() => crossEntropy(logits, t, options)).toThrow(message);
  });

  it("probabilities outside of [0, 1], naming value and place", () => {
    const call = () =>
      crossEntropy(
        logits,
        tensor([
          [1, 0, 0],
          [0, 3, 4],
        ]),
      );
    expect(call).toThrow("target probabilities must be in [0, 1], got 3 at row 1, position [1]");
  });
});

describe("validation of values", () => {
  it("is left to the device where reading would wait", () => {
    const device = interpreter();
    const gpuLike = new Proxy(device, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        return name === "readSync" ? undefined : typeof value === "function" ? value.bind(target) : value;
      },
    });
    const logits = tensor([[1, 2]], { device: gpuLike });
    const weight = tensor([1, -1], { device: gpuLike });
    const target = tensor([0], { dtype: "i32", device: gpuLike });
    expect(() => crossEntropy(logits, target, { weight })).not.toThrow();
    expect(() => crossEntropy(logits, target, { weight, validate: true })).toThrow(
      expect.objectContaining({ code: "no-sync-read" }),
    );
  });

  it("is no obstacle to the type of a Loss", () => {
    expectTypeOf(crossEntropy).toExtend<Loss<CrossEntropyOptions>>();
  });
});

describe("the one pass of costs and gradient", () => {
  const smooth = { labelSmoothing: 0.2 };
  const ignoring = i32([1, -100, 2]);

  it("can be differentiated again, with labels smoothed and targets ignored", () => {
    for (const options of [{}, smooth, { ...smooth, weight: f64([1, 2, 0.5]) }]) {
      const gradient = (x: Tensor) => grad((y: Tensor) => crossEntropy(y, ignoring, options))(x);
      gradcheck(gradient, f64(rows));
      gradcheck((x: Tensor) => grad((y: Tensor) => gradient(y).square().sum())(x), f64(rows));
    }
  });

  it("has the softmax's Jacobian as its Hessian", () => {
    const logits = f64(rows).slice([0, 1]);
    const gradient = (x: Tensor) => grad((y: Tensor) => crossEntropy(y, i32([1])))(x);
    const second = grad((x: Tensor) => gradient(x).slice(null, [0, 1]).sum())(logits).data();
    const p = [0, 1, 2].map((c) => Math.exp(-at(0, c)));
    p.forEach((q, c) => {
      expect(second[c]).toBeCloseTo((p[0] as number) * ((c === 0 ? 1 : 0) - q), 14);
    });
  });

  it("is one kernel over 50,000 logits a row, compiled, which makes nothing of their size but the gradient", () => {
    const [n, classes] = [16, 50_000];
    const logits = tensor(
      Float32Array.from({ length: n * classes }, (_, i) => Math.sin(i)),
      { shape: [n, classes] },
    );
    const targets = i32([0, 49_999, 25_000, ...new Array<number>(13).fill(-100)]);
    const both = (x: Tensor, t: Tensor) => valueAndGrad((y: Tensor) => crossEntropy(y, t))(x);
    const step = compile(both);
    const [loss, gradient] = step(logits, targets);
    const large = step
      .explain()
      .split("\n")
      .filter((line) => /^ *\d+ /.test(line) && /writes [\d.]+ MB/.test(line));
    expect(large).toEqual([expect.stringContaining("crossEntropy+mul")]);
    const total = Array.from({ length: classes }, (_, i) => Math.exp(Math.sin(i))).reduce((a, b) => a + b, 0);
    expect(both(logits, targets)[0].item()).toBeCloseTo(loss.item(), 5);
    const g = gradient.data();
    expect(g[0]).toBeCloseTo((1 / total - 1) / 3, 6);
    expect(g[classes + 49_999]).toBeLessThan(-0.33);
    expect(g.slice(3 * classes).every((x) => x === 0)).toBe(true);
  });

  it("does not compute the gradient where nobody differentiates", () => {
    const forward = compile((x: Tensor, t: Tensor) => crossEntropy(x, t));
    forward(tensor(rows), i32([1, 0, 2]));
    // 3 costs of 4 bytes, not 9 slopes beside them.
    expect(forward.explain()).toMatch(/crossEntropy\S* +\[3, 3\].*writes 12 B/);
  });

  it("asks whether the arguments are swapped where shapes or ranges suggest it", () => {
    const [logits, probabilities] = [tensor([[3, 4]]), tensor([[0.25, 0.75]])];
    const swapped = "Are the arguments swapped?";
    expect(() => crossEntropy(probabilities, logits)).toThrow(`${swapped} crossEntropy(logits, targets)`);
    expect(() => crossEntropy(i32([0, 1]), tensor(rows))).toThrow(swapped);
    expect(() => crossEntropy(tensor([0, 1, 2]), tensor(rows))).toThrow(swapped);
  });
});
