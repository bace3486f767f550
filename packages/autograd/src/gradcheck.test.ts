import { interpreter, type Tensor } from "@gradus/core";
import { key, setDefaultDevice, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { customGrad, gradcheck, gradgradcheck } from "./index.js";

const f64 = (values: number[] | number[][]): Tensor => tensor(values, { dtype: "f64" });
const wrongAt2 = customGrad((x: Tensor) => x.square(), {
  backward: (dy, { inputs: [x] }) =>
    dy.mul((x as Tensor).mul(2)).add(
      tensor(
        [
          [0, 0],
          [0, 0.5],
        ],
        { dtype: "f64" },
      ),
    ),
});

describe("gradcheck", () => {
  it("compares each output element with each input element, of trees", () => {
    const f = (p: { a: Tensor; b: readonly Tensor[] }) => ({ y: p.a.mul(p.b[0] as Tensor), z: p.a.sum() });
    const report = gradcheck(f, { a: f64([1, 2]), b: [f64([3, 4])] });
    expect(report.compared).toBe(2 * 2 * 2 + 2 + 2);
    expect(report.maxError).toBeLessThan(1e-8);
  });

  it("names the input, the element and both numbers", () => {
    const x = f64([
      [1, 2],
      [3, 4],
    ]);
    const run = (fast: boolean) => () => gradcheck((p: { w: Tensor }) => wrongAt2(p.w), { w: x }, { fast });
    for (const fast of [false, true]) {
      expect(run(fast)).toThrow(
        /^gradcheck: d output\[\d, \d\] \/ d w\[1, 1\]: analytic [\d.]+, numeric [\d.e-]+ \(difference 0\.5/,
      );
      expect(run(fast)).toThrow(expect.objectContaining({ code: "gradient-mismatch" }));
    }
  });

  it("names a kink as such", () => {
    // The derivative of relu at 0 is 0, as in PyTorch; the central difference is 1/2.
    expect(() => gradcheck((x: Tensor) => x.relu(), f64([1, 0]))).toThrow(
      "d output[1] / d input[1]: analytic 0, numeric 0.5 (difference 0.5). This is a kink: the slope is 0 from below and 1 from above. Check at a point away from it",
    );
    const half = customGrad((x: Tensor) => x.exp(), { backward: (dy, { output }) => dy.mul(output).div(2) });
    expect(() => gradcheck((x: Tensor) => half(x), f64([1]))).toThrow(/difference 1\.35\d*\)$/);
  });

  it("has a fast mode: one random projection for each pair of input and output", () => {
    const w = key(0).normal([6, 6], { dtype: "f64" });
    let calls = 0;
    const f = (p: { x: Tensor; w: Tensor }): Tensor => {
      calls++;
      return p.x.matmul(p.w).tanh();
    };
    const report = gradcheck(f, { x: w.add(1), w }, { fast: true });
    expect(report.compared).toBe(2);
    expect(calls).toBe(1 + 2 * 2);
    expect(report.maxError).toBeLessThan(1e-7);
  });

  it("has PyTorch's tolerances, which can be set", () => {
    const nearly = customGrad((x: Tensor) => x.square(), {
      backward: (dy, { inputs: [x] }) => dy.mul((x as Tensor).mul(2 + 1e-4)),
    });
    gradcheck((x: Tensor) => nearly(x), f64([1]));
    expect(() => gradcheck((x: Tensor) => nearly(x), f64([1]), { rtol: 1e-6 })).toThrow("gradcheck:");
  });

  it("refuses float32", () => {
    expect(() => gradcheck((x: Tensor) => x.sin(), tensor([1]))).toThrow(
      'gradcheck: (root) is f32: differences need f64. Convert it: x.cast("f64")',
    );
    expect(() => gradcheck((x: Tensor) => x.cast("f32"), f64([1]))).toThrow(
      expect.objectContaining({ code: "dtype-mismatch" }),
    );
  });

  it("frees all that it made", () => {
    const device = interpreter({ collected: false });
    setDefaultDevice(device);
    const x = f64([1, 2]);
    gradcheck((y: Tensor) => y.sin().exp(), x);
    gradcheck((y: Tensor) => y.sin().exp(), x, { fast: true });
    gradgradcheck((y: Tensor) => y.sin().exp(), x);
    expect(device.memory().buffers).toBe(1);
    x.dispose();
    setDefaultDevice(undefined);
  });
});

describe("gradgradcheck", () => {
  it("compares second derivatives, by inputs and by cotangents", () => {
    const f = (p: { a: Tensor; b: Tensor }): Tensor => p.a.mul(p.b).sin();
    const at = { a: f64([1, 2]), b: f64([3, 4]) };
    expect(gradgradcheck(f, at).compared).toBe(4 * 6);
    expect(gradgradcheck(f, at, { fast: true }).compared).toBe(2 * 3);
  });

  it("finds a first derivative that is right and a second that is not", () => {
    const f = customGrad((x: Tensor) => x.pow(3), {
      backward: (dy, { inputs: [x] }) => dy.mul((x as Tensor).detach().square().mul(3)),
    });
    gradcheck((x: Tensor) => f(x), f64([2]));
    expect(() => gradgradcheck((x: Tensor) => f(x), f64([2]))).toThrow(
      /^gradgradcheck: d output\[0\] \/ d inputs\[0\]: analytic 0, numeric/,
    );
  });

  it("is content with functions that have no second derivative", () => {
    expect(gradgradcheck((x: Tensor) => x.mul(2), f64([1, 2])).maxError).toBeLessThan(1e-8);
  });
});
