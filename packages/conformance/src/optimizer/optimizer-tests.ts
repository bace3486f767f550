import {
  type Backend,
  checkSameStructure,
  interpreter,
  mapTree,
  type Objective,
  type Optimizer,
  type OptimizerState,
} from "@gradus/core";
import { assert, describe, it } from "vitest";
import type { OptimizerSuiteOptions } from "../describe-optimizer.js";
import { expectCode } from "../expect-code.js";
import { type Params, Quadratic } from "./problem.js";
import { expectSameBits, restoreState, storeState } from "./stored-state.js";

const reasons = ["converged", "line-search-failed", "max-iterations", "non-finite"];

/** See `describeOptimizer`. */
export function optimizerTests(make: () => Optimizer, options: OptimizerSuiteOptions): void {
  const { steps = 100, reaches = 0.5, vectors = true } = options;
  const open = async (): Promise<Backend> => (await options.device?.()) ?? interpreter();

  /** Steps until it says why it ends, or as many as asked for. */
  async function run(optimizer: Optimizer, f: Objective<Params>, from: Params, most: number) {
    let [params, state] = [from, optimizer.init(from)] as [Params, OptimizerState<Params>];
    const losses: number[] = [];
    let reason: string | undefined;
    while (losses.length < most && reason === undefined) {
      const step = await optimizer.step(f, params, state, undefined);
      ({ params, state } = step);
      reason = step.reason;
      losses.push(step.loss);
    }
    return { params, state, losses, reason };
  }

  describe("descends", () => {
    it.each(["f32", "f64"] as const)("on a quadratic of %s, without ever rising", async (dtype) => {
      const device = await open();
      if (!device.caps.dtypes.includes(dtype)) return;
      const problem = new Quadratic({ device, vectors, dtype });
      const { params, losses, reason } = await run(make(), problem.objective(), problem.start, steps);
      const share = problem.distance(params) / problem.distance(problem.start);
      assert.isAtMost(
        share,
        reaches,
        `share of the distance to the minimum left after ${losses.length} steps`,
      );
      losses.forEach((loss, i) => {
        const before = losses[i - 1] ?? Infinity;
        assert.isAtMost(loss, before + 1e-6 * Math.abs(before), `the loss after step ${i}`);
      });
      if (reason !== undefined) assert.include(reasons, reason);
    });
  });

  it("keeps the structure of trees, and the parameters that it was given", async () => {
    const problem = new Quadratic({ device: await open(), vectors });
    const before = await storeState(problem.start);
    const optimizer = make();
    const state = optimizer.init(problem.start);
    const step = await optimizer.step(problem.objective(), problem.start, state, undefined);
    checkSameStructure(problem.start, step.params, "the parameters");
    assert.deepEqual(await storeState(problem.start), before, "the parameters that it was given");
  });

  it("counts what it asks of the objective", async () => {
    const problem = new Quadratic({ device: await open(), vectors });
    const asked = { value: 0, gradient: 0, hvp: 0 };
    const f = problem.objective();
    const counting: Objective<Params> = {
      value(p, batch) {
        asked.value++;
        return f.value(p, batch);
      },
      valueAndGrad(p, batch) {
        asked.value++;
        asked.gradient++;
        return f.valueAndGrad(p, batch);
      },
      hvp(p, vector) {
        asked.hvp++;
        return problem.hvp(vector) ?? p;
      },
    };
    const optimizer = make();
    let [params, state] = [problem.start, optimizer.init(problem.start)] as [Params, OptimizerState<Params>];
    const counted = { value: 0, gradient: 0, hvp: 0 };
    for (let i = 0; i < 3; i++) {
      const step = await optimizer.step(counting, params, state, undefined);
      ({ params, state } = step);
      for (const what of ["value", "gradient", "hvp"] as const) counted[what] += step.evaluations[what];
      if (step.reason !== undefined) break;
    }
    assert.deepEqual(counted, asked);
  });

  it.each([0, 1])(
    "keeps the last good parameters where the objective is not finite after %d evaluations",
    async (good) => {
      const problem = new Quadratic({ device: await open(), vectors });
      const f = problem.objective();
      let evaluations = 0;
      const spoil = (x: Params): Params =>
        evaluations++ < good ? x : mapTree(x, (leaf) => leaf.mul(Number.NaN));
      const spoiled: Objective<Params> = {
        value: (p, batch) => f.value(spoil(p), batch),
        valueAndGrad: (p, batch) => f.valueAndGrad(spoil(p), batch),
        hvp: (_, vector) => spoil(problem.hvp(vector)),
        fisherVp: (_, vector) => spoil(problem.hvp(vector)),
      };
      const { params, reason } = await run(make(), spoiled, problem.start, 10);
      await expectSameBits(params, problem.start, "the parameters");
      assert.include(["non-finite", "line-search-failed"], reason ?? "no reason within ten steps");
    },
  );

  it("goes on from a stored state with the same bits", async () => {
    const problem = new Quadratic({ device: await open(), vectors });
    const f = problem.objective();
    let { params, state } = await run(make(), f, problem.start, 2);
    const stored = await storeState(state);
    let other = { params, state: restoreLike(make().init(problem.start), state, stored) };
    for (let i = 0; i < 2; i++) {
      ({ params, state } = await make().step(f, params, state, undefined));
      other = await make().step(f, other.params, other.state, undefined);
    }
    await expectSameBits(other.params, params, "from a stored state");
  });

  it("refuses an empty tree", () => {
    expectCode(() => make().init({}), "invalid-argument");
  });
}

/** A stored state read back. Histories grow, so the shape of the state is the later one's, not that of `init`. */
function restoreLike<S extends object>(
  begun: S,
  later: S,
  stored: Awaited<ReturnType<typeof storeState>>,
): S {
  assert.sameMembers(Object.keys(later), Object.keys(begun), "the parts of a state");
  return restoreState(later, stored);
}
