import { objective } from "@gradus/autograd";
import { expectNoLeaks } from "@gradus/conformance";
import {
  type Backend,
  flattenTree,
  interpreter,
  isScalar,
  type Objective,
  type Optimizer,
  type OptimizerStep,
  scalar,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { describe, expect, expectTypeOf, it } from "vitest";

/** What an optimizer on an {@link Objective} must do. */
export interface MethodCase {
  readonly make: () => Optimizer;
  /** The same, stopped after three iterations. */
  readonly makeShort: () => Optimizer;
  /** Objectives for it: by default `objective(f)` of autograd. */
  readonly objectiveOf?: <P>(f: (params: P) => Tensor) => Objective<P>;
  readonly refused: readonly (readonly [make: () => Optimizer, message: string])[];
}

interface Params {
  readonly layer: { readonly w: Tensor };
  readonly b: Tensor;
}

/** The tests that every such optimizer passes. */
export function describeMethod(name: string, { make, makeShort, objectiveOf, refused }: MethodCase): void {
  const of = objectiveOf ?? (<P>(f: (params: P) => Tensor): Objective<P> => objective(f));
  const startOn = (device?: Backend, dtype: "f64" | "f32" = "f64"): Params => ({
    layer: {
      w: tensor(
        [
          [1, -2],
          [0.5, 3],
        ],
        { dtype, ...(device && { device }) },
      ),
    },
    b: tensor([2], { dtype, ...(device && { device }) }),
  });
  // Strictly convex, not quadratic, with its minimum of 0 at w = 1 and b = -1.
  const bowl = ({ layer: { w }, b }: Params): Tensor => {
    const [u, v] = [w.sub(1), b.add(w.sum().mul(0.1)).add(0.6)];
    return u.square().mul(2).add(u.square().square().mul(0.1)).sum().add(v.square().mul(3).sum());
  };

  async function descend<P>(
    optimizer: Optimizer,
    f: Objective<P>,
    start: P,
    most = 2000,
  ): Promise<{ last: OptimizerStep<P>; losses: number[]; steps: number }> {
    let state = optimizer.init(start);
    let params = start;
    const losses: number[] = [];
    for (let steps = 1; ; steps++) {
      const last = await optimizer.step(f, params, state, undefined);
      losses.push(last.loss);
      if (last.reason !== undefined || steps === most) return { last, losses, steps };
      ({ params, state } = last);
    }
  }

  describe(name, () => {
    it.each(["f64", "f32"] as const)("finds a minimum in %s, never rising, and says so", async (dtype) => {
      const { last, losses } = await descend(make(), of(bowl), startOn(undefined, dtype));
      expect(last.reason).toBe("converged");
      expect(last.loss).toBeLessThan(dtype === "f64" ? 1e-9 : 1e-6);
      losses.forEach((loss, i) => {
        if (i > 0) expect(loss).toBeLessThanOrEqual(losses[i - 1] as number);
      });
      for (const w of last.params.layer.w.data()) expect(w).toBeCloseTo(1, dtype === "f64" ? 4 : 2);
      expect(last.params.b.item()).toBeCloseTo(-1, dtype === "f64" ? 4 : 2);
      expect(last.params.b.dtype).toBe(dtype);
    });

    it("keeps the types of trees", async () => {
      const optimizer = make();
      const params = { layers: [{ w: tensor([1], { dtype: "f64" }) }] as const };
      const step = await optimizer.step(
        of((p: typeof params) => p.layers[0].w.square().sum()),
        params,
        optimizer.init(params),
        undefined,
      );
      expectTypeOf(step.params).toEqualTypeOf<typeof params>();
      expect(step.params.layers[0].w.shape).toEqual([1]);
      expect(optimizer.name).toBe(name);
    });

    it("goes on from a copied state, bit for bit", async () => {
      const f = of(bowl);
      const first = await makeShort().step(f, startOn(), makeShort().init(startOn()), undefined);
      const copy = <T>(tree: T): T => {
        const flat = flattenTree(tree);
        return flat.rebuild(
          flat.leaves.map((leaf) =>
            isScalar(leaf)
              ? scalar(leaf.value)
              : tensor(Float64Array.from(leaf.data()), { shape: leaf.shape, dtype: leaf.dtype }),
          ),
        );
      };
      const optimizer = makeShort();
      const straight = await optimizer.step(f, first.params, first.state, undefined);
      const resumed = await makeShort().step(f, copy(first.params), copy(first.state), undefined);
      expect(tensorsOf(resumed.params).map((x) => x.toArray())).toEqual(
        tensorsOf(straight.params).map((x) => x.toArray()),
      );
      expect(resumed.state.step.value).toBe(straight.state.step.value);
    });

    it("counts what it asks", async () => {
      const asked = { value: 0, gradient: 0, hvp: 0 };
      const own = of(bowl);
      const counted: Objective<Params> = {
        ...own,
        value: (...args) => {
          asked.value++;
          return own.value(...args);
        },
        valueAndGrad: (...args) => {
          asked.value++;
          asked.gradient++;
          return own.valueAndGrad(...args);
        },
        ...(own.hvp && {
          hvp: (...args) => {
            asked.hvp++;
            return own.hvp?.(...args) as Params;
          },
        }),
      };
      const optimizer = make();
      let [params, state] = [startOn(), optimizer.init(startOn())];
      const said = { value: 0, gradient: 0, hvp: 0 };
      for (let i = 0; i < 3; i++) {
        const step = await optimizer.step(counted, params, state, undefined);
        ({ params, state } = step);
        said.value += step.evaluations.value;
        said.gradient += step.evaluations.gradient;
        said.hvp += step.evaluations.hvp;
      }
      expect([said.value, said.gradient]).toEqual([asked.value, asked.gradient]);
      if (own.fisherVp === undefined && own.residuals === undefined) expect(said.hvp).toBe(asked.hvp);
    });

    it("keeps the parameters where the objective is not finite at the start", async () => {
      const optimizer = make();
      const params = startOn();
      const state = optimizer.init(params);
      const step = await optimizer.step(
        of((p: Params) => bowl(p).add(p.b.mul(0).div(0).sum())),
        params,
        state,
        undefined,
      );
      expect(step.reason).toBe("non-finite");
      expect(step.params).toBe(params);
      expect(step.state).toBe(state);
    });

    it("does not lose good parameters to a place where the objective is not finite", async () => {
      // log(b) is NaN below 0, where full steps lead; the minimum is at b = 1.
      const walled = of((p: { b: Tensor }) => p.b.sub(p.b.log()).sum());
      for (const b of [4, 0.05]) {
        const { last } = await descend(make(), walled, { b: tensor([b], { dtype: "f64" }) });
        expect(Number.isFinite(last.loss)).toBe(true);
        expect(last.params.b.item()).toBeGreaterThan(0);
        expect(last.loss).toBeLessThanOrEqual(b - Math.log(b));
      }
    });

    it("says so if it may go no further, or gets nowhere", async () => {
      expect((await descend(makeShort(), of(bowl), startOn())).last.reason).toMatch(
        /^(max-iterations|converged)$/,
      );
      // Finite only at the start.
      let first = true;
      const cliff = of(({ b }: { b: Tensor }) => {
        const at = b.item();
        const finite = first || at === 4;
        first = false;
        return finite ? b.square().sum() : b.square().mul(Number.NaN).sum();
      });
      const params = { b: tensor([4], { dtype: "f64" }) };
      const { last } = await descend(make(), cliff, params, 50);
      expect(["non-finite", "line-search-failed"]).toContain(last.reason);
      expect(last.params.b.item()).toBe(4);
    });

    it("gives all memory back, with and without waiting for values", async () => {
      for (const device of [interpreter({ collected: false }), waiting(interpreter({ collected: false }))]) {
        await expectNoLeaks(device, async () => {
          const optimizer = make();
          let params = startOn(device);
          let state = optimizer.init(params);
          for (let i = 0; i < 3; i++) {
            const step = await optimizer.step(of(bowl), params, state, undefined);
            const kept = new Set<Tensor>([...tensorsOf(step.params), ...tensorsOf(step.state)]);
            for (const x of [...tensorsOf(params), ...tensorsOf(state)]) if (!kept.has(x)) x.dispose();
            ({ params, state } = step);
          }
          for (const x of [...tensorsOf(params), ...tensorsOf(state)]) x.dispose();
        });
      }
    });

    it("refuses what is no tree of float tensors, and states of something else", () => {
      const optimizer = make();
      expect(() => optimizer.init({})).toThrow(expect.objectContaining({ code: "invalid-argument" }));
      expect(() => optimizer.init({ i: tensor([1], { dtype: "i32" }) })).toThrow(
        expect.objectContaining({ code: "dtype-mismatch" }),
      );
      const params = startOn();
      const state = optimizer.init(params);
      const step = (other: unknown) => () =>
        optimizer.step(of(bowl), params, other as typeof state, undefined);
      const { loss: _, ...scalars } = state.scalars as Record<string, never>;
      expect(step({ ...state, scalars })).toThrow(`${name}: the state has no scalars.loss`);
      expect(step({ ...state, tensors: {} })).toThrow(expect.objectContaining({ code: "tree-mismatch" }));
      expect(step(optimizer.init({ b: tensor([1], { dtype: "f64" }) }))).toThrow(
        expect.objectContaining({ code: "shape-mismatch" }),
      );
    });

    if (refused.length > 0) {
      it("refuses options out of range", () => {
        for (const [wrong, message] of refused) {
          expect(wrong).toThrow(expect.objectContaining({ code: "invalid-argument" }));
          expect(wrong).toThrow(`${name}: ${message}`);
        }
      });
    }
  });
}

/** A device that can only be read by waiting, as a GPU. */
function waiting(inner: Backend): Backend {
  return {
    name: "waiting",
    caps: inner.caps,
    alloc: (bytes) => inner.alloc(bytes),
    free: (buffer) => inner.free(buffer),
    write: (buffer, data, at) => inner.write(buffer, data, at),
    read: (buffer, at, bytes) => inner.read(buffer, at, bytes),
    compile: (kernel) => inner.compile(kernel),
    run: (program) => inner.run(program),
    memory: () => inner.memory(),
    dispose: () => inner.dispose(),
  };
}
