import { interpreter, isGradusError, type Tensor } from "@gradus/core";
import { compile, tensor, zeros } from "@gradus/tensor";
import { describe, expect, it } from "vitest";

const code = (f: () => unknown): string | undefined => {
  try {
    f();
  } catch (error) {
    return isGradusError(error) ? error.code : String(error);
  }
  return undefined;
};

describe("an elementwise operation that was run before", () => {
  const twice = (f: () => Tensor): Tensor => {
    f();
    return f();
  };
  const a = () => tensor([[1, 2, 3]]);

  it("computes the same", () => {
    expect([...twice(() => a().add(tensor([[4, 5, 6]]))).data()]).toEqual([5, 7, 9]);
    expect([...twice(() => a().mul(0.5)).data()]).toEqual([0.5, 1, 1.5]);
    expect([...twice(() => a().lt(2)).data()]).toEqual([1, 0, 0]);
    expect(twice(() => a().lt(2)).dtype).toBe("bool");
    expect([...twice(() => a().exp().log()).data()]).toEqual([
      expect.closeTo(1, 5),
      expect.closeTo(2, 5),
      expect.closeTo(3, 5),
    ]);
    const doubles = () => tensor(new Float64Array([0.1, 0.2]));
    expect([...twice(() => doubles().add(doubles())).data()]).toEqual([0.2, 0.4]);
  });

  it("rounds plain numbers to the dtype", () => {
    expect(twice(() => a().sub(0.1)).data()[0]).toBe(Math.fround(1 - Math.fround(0.1)));
  });

  it("still broadcasts, promotes, and takes views and other sizes", () => {
    const add = (x: Tensor, y: Tensor): number[] => [...x.add(y).data()];
    add(a(), a());
    expect(add(a(), tensor([[1], [2]]))).toEqual([2, 3, 4, 3, 4, 5]);
    expect(add(a(), tensor([[1, 2, 3]], { dtype: "i32" }))).toEqual([2, 4, 6]);
    expect(add(a(), tensor(new Float64Array([1, 2, 3]), { shape: [1, 3] }))).toEqual([2, 4, 6]);
    const square = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(add(square.transpose(0, 1), square)).toEqual([2, 5, 5, 8]);
    expect(add(square.slice([1, 2]), square.slice([0, 1]))).toEqual([4, 6]);
    expect(add(tensor([1, 2, 3, 4, 5]), tensor([1, 1, 1, 1, 1]))).toEqual([2, 3, 4, 5, 6]);
    expect(add(zeros([0, 3]), zeros([0, 3]))).toEqual([]);
    expect(tensor(2).add(tensor(3)).item()).toBe(5);
  });

  it("still refuses what it refused", () => {
    const [x, y] = [a(), a()];
    x.add(y);
    expect(code(() => (x as unknown as { add(): Tensor }).add())).toBe("invalid-argument");
    expect(code(() => x.add(tensor([1, 2])))).toBe("shape-mismatch");
    expect(code(() => x.add(tensor([[1, 2, 3]], { device: interpreter() })))).toBe("device-mismatch");
    y.dispose();
    expect(code(() => x.add(y))).toBe("disposed");
    expect(code(() => y.add(x))).toBe("disposed");
  });

  it("is recorded where somebody compiles", () => {
    const f = compile((x: Tensor) => x.add(x).mul(3));
    a().add(a());
    a().mul(3);
    expect([...f(a()).data()]).toEqual([6, 12, 18]);
    expect([...f(tensor([[0, 1, 0]])).data()]).toEqual([0, 6, 0]);
  });

  it("does not hold its operands", () => {
    const device = interpreter({ collected: false });
    const [x, y] = [tensor([1, 2], { device }), tensor([3, 4], { device })];
    x.add(y).dispose();
    x.add(y).dispose();
    x.dispose();
    y.dispose();
    expect(device.memory().buffers).toBe(0);
  });
});
