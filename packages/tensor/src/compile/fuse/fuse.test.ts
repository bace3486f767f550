import { interpreter, type Tensor } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { compile, key, ones, tensor, zeros } from "../../index.js";

/** The kernels of `f` on these arguments; the results must be those of `f` itself, to the last bit. */
function kernelsOf<Args extends readonly Tensor[]>(
  f: (...args: Args) => Tensor | Tensor[],
  ...args: Args
): number {
  const compiled = compile(f as (...args: readonly Tensor[]) => Tensor[]);
  const list = (x: Tensor | Tensor[]): unknown[] => [x].flat().map((y) => y.toArray());
  expect(list(compiled(...args))).toEqual(list(f(...args)));
  return Number(compiled.explain().split(" ", 1)[0]);
}

const x = key(0).normal([32, 24]);
const row = key(1).normal([24]);
const column = key(2).normal([32, 1]);

describe("joining operations", () => {
  it("makes a chain of elementwise operations one kernel, broadcast operands included", () => {
    expect(kernelsOf((a, b) => a.mul(2).add(b).exp().sub(1).relu(), x, row)).toBe(1);
    expect(kernelsOf((a, b) => b.mul(2).exp().mul(a), x, column)).toBe(2);
    expect(kernelsOf((a, b) => b.mul(2).add(1).mul(a), x, column)).toBe(1);
  });

  it("computes what several operations share once, and returns every value that is wanted", () => {
    const shared = (a: Tensor): Tensor[] => {
      const e = a.exp();
      return [e, e.add(1).log(), e.mul(a)];
    };
    expect(kernelsOf(shared, x)).toBe(1);
  });

  it("makes results of the same shape that read something in common side by side", () => {
    const choose = (a: Tensor, b: Tensor, c: Tensor): Tensor[] => {
      const isGood = a.square().sum().lt(1e9);
      return [isGood.where(a.mul(2), b), isGood.where(b, a), isGood.where(c.add(1), c)];
    };
    expect(kernelsOf(choose, key(8).normal([96, 96]), key(9).normal([96, 96]), row)).toBe(2);
    expect(kernelsOf((a, b) => [a.exp(), b.exp()], x, key(8).normal([32, 24]))).toBe(2);
  });

  it("gives a matrix product its elementwise tail", () => {
    const dense = (a: Tensor, w: Tensor, b: Tensor): Tensor => a.matmul(w).add(b).relu();
    expect(kernelsOf(dense, x, key(3).normal([24, 10]), key(4).normal([10]))).toBe(1);
    const residual = (a: Tensor, w: Tensor): Tensor => a.matmul(w).tanh().mul(0.5).add(a);
    expect(kernelsOf(residual, x, key(3).normal([24, 24]))).toBe(1);
    const transposed = (a: Tensor, w: Tensor): Tensor => a.matmul(w).transpose().mul(2);
    expect(kernelsOf(transposed, x, key(3).normal([24, 8]))).toBe(1);
  });

  it("gives a convolution its bias and activation", () => {
    const image = key(5).normal([2, 3, 8, 8]);
    const conv = (a: Tensor, w: Tensor, b: Tensor): Tensor => a.conv(w, { bias: b, padding: 1 }).relu();
    expect(kernelsOf(conv, image, key(6).normal([4, 3, 3, 3]), key(7).normal([4]))).toBe(1);
  });

  it("makes softmax, written by hand, one kernel of rows", () => {
    const softmax = (a: Tensor): Tensor => {
      const e = a.sub(a.max(-1, { keepdims: true })).exp();
      return e.div(e.sum(-1, { keepdims: true }));
    };
    expect(kernelsOf(softmax, x)).toBe(1);
  });

  it("makes layer normalisation, written by hand, one kernel of rows", () => {
    const norm = (a: Tensor, scale: Tensor, shift: Tensor): Tensor => {
      const centered = a.sub(a.mean(1, { keepdims: true }));
      const deviation = centered.square().mean(1, { keepdims: true }).add(1e-5).sqrt();
      return centered.div(deviation).mul(scale).add(shift);
    };
    expect(kernelsOf(norm, x, row, ones([24]))).toBe(1);
  });

  it("reduces what need not be stored", () => {
    expect(kernelsOf((a, b) => a.sub(b).square().mean(), x, row)).toBe(1);
    expect(kernelsOf((a) => a.abs().sum(0), x)).toBe(1);
    expect(kernelsOf((a) => a.sum(1).exp().add(1), x)).toBe(1);
  });

  it("reads through views: transposed, cut, reversed, broadcast, in another shape", () => {
    expect(kernelsOf((a) => a.mul(2).transpose().add(1), x)).toBe(1);
    expect(kernelsOf((a) => a.mul(2).slice([1, 9], [2, 20, 3]).add(1), x)).toBe(1);
    expect(kernelsOf((a) => a.mul(2).flip(1).add(1), x)).toBe(1);
    expect(kernelsOf((a, b) => a.add(b.mul(3).expand([32, 24])), x, row)).toBe(1);
    expect(kernelsOf((a) => a.mul(2).reshape([4, 8, 24]).add(1), x)).toBe(1);
    expect(
      kernelsOf(
        (a) =>
          a.mul(2).pad(
            [
              [1, 2],
              [0, 3],
            ],
            7,
          ),
        x,
      ),
    ).toBe(1);
    expect(
      kernelsOf(
        (a) =>
          a
            .mul(2)
            .reshape([32 * 24])
            .add(1),
        x,
      ),
    ).toBeLessThanOrEqual(2);
  });

  it("does not take one row for another, where a value is read at two of them", () => {
    const twice = (other: (e: Tensor) => Tensor) => (a: Tensor) => {
      const e = a.exp();
      return e.mul(other(e)).sum(1);
    };
    const square = key(0).normal([24, 24]);
    expect(
      kernelsOf(
        twice((e) => e.flip(0)),
        square,
      ),
    ).toBe(2);
    expect(
      kernelsOf(
        twice((e) => e.transpose()),
        square,
      ),
    ).toBe(2);
    expect(
      kernelsOf(
        twice((e) => e.flip(1)),
        square,
      ),
    ).toBeLessThanOrEqual(2);
    expect(
      kernelsOf(
        twice((e) => e.slice([3, 4])),
        square,
      ),
    ).toBeLessThanOrEqual(2);
  });

  it("does not join what needs all of a value before any of it", () => {
    expect(kernelsOf((a) => a.div(a.square().sum().sqrt()), key(8).normal([100, 100]))).toBe(2);
    expect(kernelsOf((a, w) => a.matmul(w).softmax(1).matmul(w), x, key(3).normal([24, 24]))).toBe(3);
  });

  it("does not join around another operation that needs the first and is needed by the last", () => {
    // The sum needs the product, and the result needs the sum: the product cannot be within the result's kernel.
    const f = (a: Tensor, w: Tensor): Tensor => {
      const y = a.matmul(w);
      return y.mul(y.sum());
    };
    expect(kernelsOf(f, key(0).normal([100, 24]), key(3).normal([24, 100]))).toBe(3);
  });

  it("computes equal operations once", () => {
    const f = (a: Tensor, w: Tensor): Tensor => a.matmul(w).add(a.matmul(w));
    expect(kernelsOf(f, x, key(3).normal([24, 24]))).toBe(1);
  });

  it("keeps a value for those who read it since they compute for themselves what another operation made of it", () => {
    // The doubled rows are cheap enough to be made again for each reader; the product that they are made of is not.
    const f = (a: Tensor, w: Tensor): Tensor[] => {
      const doubled = a.matmul(w).mul(2);
      return [doubled.transpose().sum(1), doubled.add(1).sum(1), doubled.slice([0, 20])];
    };
    const compiled = compile(f);
    const given = [key(0).normal([100, 24]), key(3).normal([24, 100])] as const;
    expect(compiled(...given).map((y) => y.toArray())).toEqual(f(...given).map((y) => y.toArray()));
  });

  it("keeps checks of indices, and reports them", () => {
    const f = compile((a: Tensor, i: Tensor) => a.exp().gather(1, i).mul(2));
    const index = (value: number): Tensor => tensor(new Array(32).fill([value]), { dtype: "i32" });
    expect(f(x, index(3)).shape).toEqual([32, 1]);
    expect(() => f(x, index(24)).data()).toThrow(expect.objectContaining({ code: "index-out-of-range" }));
  });

  it("leaves tensors without elements, and of size 1, as they are", () => {
    expect(kernelsOf((a) => a.mul(2).add(1).sum(1), zeros([3, 0]))).toBe(1);
    expect(kernelsOf((a) => a.mul(2).sum(0).exp(), ones([1, 1]))).toBe(1);
  });

  it("updates parameters within the kernel that makes their gradient, in place", () => {
    const device = interpreter({ precision: "float32", collected: false });
    const on = (t: Tensor): Tensor => tensor(t.data(), { shape: t.shape, device });
    const update = (w: Tensor, m: Tensor, a: Tensor, dy: Tensor): Tensor[] => {
      const g = a.transpose().matmul(dy);
      const next = m.mul(0.9).add(g);
      return [w.sub(next.mul(0.1)), next];
    };
    const given = [key(1).normal([24, 8]), key(2).normal([24, 8]), x, key(3).normal([32, 8])] as const;
    const step = compile(update, { donate: [0, 1] });
    const [w, m, a, dy] = given.map(on) as [Tensor, Tensor, Tensor, Tensor];
    const live = device.memory().buffers;
    const result = step(w, m, a, dy);
    expect(device.memory().buffers).toBe(live);
    expect(step.explain()).toContain("1 kernels");
    expect(step.explain()).toContain("2 of 2 results in place");
    const eager = update(...(given.map(on) as [Tensor, Tensor, Tensor, Tensor]));
    expect(result.map((t) => t.toArray())).toEqual(eager.map((t) => t.toArray()));
  });
});
