import { backward, customGrad, grad, gradcheck, valueAndGrad, variable, vjp } from "@gradus/autograd";
import { type Backend, interpreter, isGradusError, type Tensor } from "@gradus/core";
import { compile, scope, scopeDepth, setDefaultDevice, tensor } from "@gradus/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** The code of what `f` throws; undefined if it throws nothing. */
function codeOf(f: () => unknown): string | undefined {
  try {
    f();
    return undefined;
  } catch (error) {
    return isGradusError(error) ? error.code : String(error);
  }
}

const loss = (x: Tensor): Tensor => x.sin().mul(x.exp()).add(x.square()).sum();

describe.each([
  { name: "a device whose memory is collected", create: () => interpreter() },
  { name: "a device whose memory must be freed", create: () => interpreter({ collected: false }) },
])("on $name", ({ create }) => {
  let device: Backend;
  let x: Tensor;
  const live = (): number => device.memory().buffers;

  beforeEach(() => {
    device = create();
    setDefaultDevice(device);
    x = tensor([0.1, 0.2, 0.3]);
  });

  afterEach(() => {
    x.dispose();
    expect(live(), "buffers left behind by this test").toBe(0);
  });

  it("grad frees all that it made, except the gradient", () => {
    const g = grad(loss)(x);
    expect(live()).toBe(2);
    expect(g.shape).toEqual([3]);
    g.dispose();
  });

  it("grad of a tree keeps one tensor a leaf, each of which may be disposed alone", () => {
    const params = { a: x, b: [tensor(2), tensor([1, 1, 1])] as const };
    // a and the second b get the same cotangent: two tensors that may share memory.
    const g = grad((p: typeof params) => p.a.add(p.b[1]).mul(p.b[0]).sum())(params);
    expect(live()).toBeLessThanOrEqual(3 + 3);
    expect(new Set([g.a, ...g.b]).size).toBe(3);
    g.a.dispose();
    expect(g.b[1].toArray()).toEqual([2, 2, 2]);
    for (const t of [...g.b, ...params.b]) t.dispose();
  });

  it("grad gives zeros of its own for what the result does not depend on", () => {
    const unused = tensor([1, 2]);
    const g = grad((p: { used: Tensor; unused: Tensor }) => loss(p.used))({ used: x, unused });
    expect(g.unused.toArray()).toEqual([0, 0]);
    for (const t of [g.used, g.unused, unused]) t.dispose();
  });

  it("valueAndGrad keeps the value and the auxiliary result as well", () => {
    const [value, g, aux] = valueAndGrad((p: Tensor) => {
      const y = p.exp();
      return [y.sum(), { y, tail: y.slice([1]) }] as const;
    })(x);
    // x, the value, the gradient, and y, which its slice shares.
    expect(live()).toBe(4);
    value.dispose();
    g.dispose();
    aux.y.dispose();
    expect(aux.tail.data()[1]).toBeCloseTo(Math.exp(0.3), 6);
    aux.tail.dispose();
  });

  it("frees all if the function throws", () => {
    const mistaken = (p: Tensor): Tensor => {
      p.exp().add(tensor([1, 2, 3]));
      throw new Error("a mistake");
    };
    expect(() => grad(mistaken)(x)).toThrow("a mistake");
    expect(() => valueAndGrad(mistaken)(x)).toThrow("a mistake");
    expect(() => grad((p: Tensor) => grad(mistaken)(p).sum())(x)).toThrow("a mistake");
    expect(live()).toBe(1);
    expect(scopeDepth()).toBe(0);
  });

  it("frees all if the backward pass throws", () => {
    const broken = customGrad((p: Tensor) => p.mul(2), {
      backward: () => {
        throw new Error("no gradient here");
      },
    });
    expect(() => grad((p: Tensor) => broken(p.exp()).sum())(x)).toThrow("no gradient here");
    expect(live()).toBe(1);
  });

  it("customGrad keeps its result and, while it is differentiated, its residuals", () => {
    const cube = customGrad((p: Tensor) => p.pow(3), {
      forward: (p) => [p.pow(3), p.square()] as const,
      backward: (dy, { residuals }) => dy.mul(residuals).mul(3),
    });
    const y = cube(x);
    expect(live()).toBe(2);
    const g = grad((p: Tensor) => scope(() => cube(cube(p))).sum())(x);
    expect(live()).toBe(3);
    y.dispose();
    g.dispose();
  });

  it("frees all if the result cannot be differentiated", () => {
    expect(codeOf(() => grad((p: Tensor) => p.exp())(x))).toBe("not-scalar");
    expect(codeOf(() => grad((p: Tensor) => p.detach().exp().sum())(x))).toBe("no-gradient");
    expect(codeOf(() => grad((p: Tensor) => p.gt(0).any())(x))).toBe("not-differentiable");
    // @ts-expect-error the gradient of an async function is refused by its type
    expect(codeOf(() => grad(async (p: Tensor) => p.exp().sum())(x))).toBe("async-scope");
    expect(live()).toBe(1);
  });

  it("nested gradients free what each of them made", () => {
    const second = grad((p: Tensor) => grad(loss)(p).square().sum());
    const g = second(x);
    expect(live()).toBe(2);
    const third = grad((p: Tensor) => second(p).sum())(x);
    expect(live()).toBe(3);
    g.dispose();
    third.dispose();
  });

  it("a gradient within a scope within a gradient is right, and leaves nothing", () => {
    const f = (p: Tensor): Tensor =>
      scope(() => {
        const inner = scope(() => grad((q: Tensor) => q.pow(3).sum())(p));
        p.exp();
        return inner.mul(p).sum();
      });
    // f = sum 3 p^3
    const g = grad(f)(x);
    expect(live()).toBe(2);
    for (const [i, p] of [0.1, 0.2, 0.3].entries()) expect(g.data()[i]).toBeCloseTo(9 * p * p, 5);
    g.dispose();
  });

  it("a value that was disposed within the function, though its gradient needs it, is named", () => {
    const f = (p: Tensor): Tensor => {
      const y = p.exp();
      const z = y.square().sum();
      y.dispose();
      return z;
    };
    expect(codeOf(() => grad(f)(x))).toBe("disposed");
    expect(live()).toBe(1);
  });

  it("a constant made inside is freed, one made outside is not", () => {
    const outside = tensor([1, 2, 3]);
    grad((p: Tensor) =>
      p
        .mul(outside)
        .mul(tensor([1, 1, 1]))
        .sum(),
    )(x).dispose();
    expect(live()).toBe(2);
    outside.dispose();
  });

  it("vjp keeps what its pull needs, within the scope around it", () => {
    const g = scope(() => {
      const [y, pull] = vjp((p: Tensor) => p.exp(), x);
      const first = pull(y.onesLike());
      const before = live();
      const second = pull(y.onesLike());
      expect(live() - before).toBe(2);
      return first.add(second);
    });
    expect(live()).toBe(2);
    expect(g.data()[0]).toBeCloseTo(2 * Math.exp(0.1), 5);
    g.dispose();
  });

  it("backward frees all that it made, except the gradients", () => {
    scope(() => {
      const w = variable(x);
      const value = loss(w);
      const before = live();
      const { grads } = backward(value, { w });
      expect(live()).toBe(before + 1);
      backward(value, { w });
      expect(live()).toBe(before + 2);
      expect(grads.w.shape).toEqual([3]);
    });
    expect(live()).toBe(1);
  });

  it("a variable's graph is kept by the scope that its result leaves", () => {
    const g = scope(() => {
      const w = variable(x);
      const value = scope(() => loss(w));
      return backward(value, { w }).grads.w;
    });
    expect(live()).toBe(2);
    g.dispose();
  });

  it("gradcheck leaves nothing within a scope", () => {
    scope(() => {
      gradcheck((p: Tensor) => p.sin(), tensor([0.1, 0.2], { dtype: "f64" }));
    });
    expect(live()).toBe(1);
  });

  it("a compiled gradient allocates nothing after the first call, except results", () => {
    const step = compile((p: Tensor, t: Tensor) => {
      const [value, g] = valueAndGrad((q: Tensor) => q.sub(t).square().mean())(p);
      return { value, p: p.sub(g.mul(0.1)) };
    });
    const target = tensor([1, 2, 3]);
    const release = (r: { value: Tensor; p: Tensor }): void => {
      r.value.dispose();
      r.p.dispose();
    };
    release(step(x, target));
    const before = device.memory();
    for (let i = 0; i < 100; i++) release(step(x, target));
    expect(device.memory()).toEqual(before);
    step.dispose();
    target.dispose();
  });

  it("a compiled update with donation trains in place", () => {
    const step = compile(
      (state: { w: Tensor; m: Tensor }, t: Tensor) => {
        const g = grad((w: Tensor) => w.sub(t).square().sum())(state.w);
        const m = state.m.mul(0.5).add(g);
        return { w: state.w.sub(m.mul(0.05)), m };
      },
      { donate: [0] },
    );
    const target = tensor([1, 2, 3]);
    let state: { w: Tensor; m: Tensor } = { w: tensor([0, 0, 0]), m: tensor([0, 0, 0]) };
    state = step(state, target);
    const before = device.memory();
    for (let i = 0; i < 100; i++) {
      state = step(state, target);
      expect(device.memory()).toEqual(before);
    }
    for (const [i, w] of [1, 2, 3].entries()) expect(state.w.data()[i]).toBeCloseTo(w, 3);
    step.dispose();
    for (const t of [target, state.w, state.m]) t.dispose();
  });

  it("a compiled function within a gradient runs as part of it", () => {
    const f = compile((p: Tensor) => p.exp().sum());
    const g = grad((p: Tensor) => f(p).mul(2))(x);
    expect(live()).toBe(2);
    expect(g.data()[0]).toBeCloseTo(2 * Math.exp(0.1), 5);
    g.dispose();
    f.dispose();
  });
});
