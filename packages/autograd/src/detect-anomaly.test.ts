import { interpreter, type Tensor } from "@gradus/core";
import { compile, full, setDefaultDevice, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { customGrad, detectAnomaly, grad, valueAndGrad, vmap } from "./index.js";

function messageOf(f: () => unknown): string {
  try {
    detectAnomaly(f);
  } catch (error) {
    expect(error).toMatchObject({ code: "non-finite" });
    return (error as Error).message;
  }
  return "";
}

describe("detectAnomaly", () => {
  it("names the first operation that made a NaN, its inputs, and where it was called", () => {
    const message = messageOf(() => {
      const x = tensor([
        [1, 2],
        [3, -4],
      ]);
      return x.log().exp().sum();
    });
    expect(message).toMatch(
      /^detectAnomaly: log made NaN at \[1, 1\] of f32\[2, 2\]\n {4}of f32\[2, 2\] \(from -4 to 3\)\n {4}called at /,
    );
    expect(message).toMatch(/detect-anomaly\.test\.ts/);
  });

  it("finds infinities", () => {
    expect(messageOf(() => tensor([1, 0]).reciprocal())).toContain("reciprocal made Infinity at [1]");
    expect(messageOf(() => tensor([-1e30]).mul(1e30))).toContain("mul made -Infinity at [0]");
  });

  it("finds what only the backward pass makes, and names the forward operation and its place", () => {
    function root(x: Tensor): Tensor {
      return x.sqrt();
    }
    const message = messageOf(() => grad((x: Tensor) => root(x).sum())(tensor([1, 0])));
    expect(message).toContain(
      'the gradient of sqrt made Infinity at [1] of f32[2], in its operation "sqrt gradient"',
    );
    expect(message).toMatch(/which was called at root .*detect-anomaly\.test\.ts/);
    const norm = customGrad((x: Tensor) => x.square().sum().sqrt(), {
      backward: (dy, { inputs: [x], output }) => dy.mul((x as Tensor).div(output)),
    });
    expect(messageOf(() => grad((x: Tensor) => norm(x))(tensor([0, 0])))).toContain(
      "the gradient of customGrad made NaN",
    );
  });

  it("looks into compiled functions", () => {
    const step = compile((x: Tensor) => valueAndGrad((y: Tensor) => y.log().sum())(x));
    const x = tensor([0]);
    step(x);
    expect(messageOf(() => step(x))).toContain("log made -Infinity at [0]");
  });

  it("looks at all examples of a vmap", () => {
    const x = tensor([[1], [-1]]);
    expect(messageOf(() => vmap((y: Tensor) => y.log())(x))).toContain("log made NaN at [1, 0] of f32[2, 1]");
  });

  it("leaves infinities alone that the program asks for, until they become NaN", () => {
    const masked = (x: Tensor): Tensor => x.gt(0).where(x, -Infinity).softmax(-1).sum();
    const x = tensor([
      [1, -1],
      [2, 3],
    ]);
    expect(detectAnomaly(() => grad(masked)(x)).shape).toEqual([2, 2]);
    expect(detectAnomaly(() => full([2], Infinity).neg()).toArray()).toEqual([-Infinity, -Infinity]);
    expect(messageOf(() => full([2], Infinity).sub(full([2], Infinity)))).toContain("sub made NaN at [0]");
    expect(messageOf(() => masked(tensor([[-1, -1]])))).toContain("softmax made NaN");
  });

  it("passes NaN in the data and results through", () => {
    const x = tensor([Number.NaN, 1]);
    expect(detectAnomaly(() => x.add(1)).toArray()).toEqual([Number.NaN, 2]);
    expect(() => detectAnomaly(async () => x)).toThrow(expect.objectContaining({ code: "async-scope" }));
  });

  it("leaves nothing, also where it throws", () => {
    const device = interpreter({ collected: false });
    setDefaultDevice(device);
    const x = tensor([-1]);
    expect(messageOf(() => grad((y: Tensor) => y.exp().neg().log().sum())(x))).toContain("log made NaN");
    expect(device.memory().buffers).toBe(1);
    x.dispose();
    setDefaultDevice(undefined);
  });
});
