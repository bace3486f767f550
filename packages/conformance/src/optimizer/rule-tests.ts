import {
  type Backend,
  checkSameStructure,
  interpreter,
  mapTree,
  type Rule,
  type RuleContext,
  type RuleState,
  type Schedule,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { type Compiled, compile, key, scope } from "@gradus/tensor";
import { assert, describe, expect, it } from "vitest";
import type { OptimizerSuiteOptions } from "../describe-optimizer.js";
import { expectCode } from "../expect-code.js";
import { expectNoLeaks } from "../no-leaks.js";
import { type Params, type ProblemOptions, Quadratic } from "./problem.js";
import { expectSameBits, restoreState, storeState } from "./stored-state.js";

interface Carried {
  readonly params: Params;
  readonly state: RuleState<Params>;
}
type Step = (carried: Carried) => Carried;

/** See `describeOptimizer`. */
export function ruleTests(make: (lr: Schedule) => Rule, options: OptimizerSuiteOptions): void {
  const { lr = 0.05, steps = 100, reaches = 0.5, vectors = true, schedules = true } = options;
  const open = async (): Promise<Backend> => (await options.device?.()) ?? interpreter();
  const problemOn = (device: Backend, more: ProblemOptions = {}): Quadratic =>
    new Quadratic({ device, vectors, ...more });
  const begin = (rule: Rule, problem: Quadratic): Carried => ({
    // A copy, since a compiled step takes its arguments over.
    params: mapTree(problem.start, (p) => p.mul(1)),
    state: rule.init(problem.start),
  });

  it("descends on a quadratic", async () => {
    const problem = problemOn(await open());
    const rule = make(lr);
    const { step } = compiledStep(rule, problem, true);
    let carried = begin(rule, problem);
    for (let i = 0; i < steps; i++) carried = step(carried);
    const share = problem.distance(evaluated(rule, carried)) / problem.distance(problem.start);
    assert.isAtMost(share, reaches, `share of the distance to the minimum left after ${steps} updates`);
    assert.equal(carried.state.step.value, steps, "state.step counts the updates");
  });

  it("keeps the dtype of the parameters", async () => {
    const device = await open();
    for (const dtype of ["f32", "f64"] as const) {
      if (!device.caps.dtypes.includes(dtype)) continue;
      const problem = problemOn(device, { dtype });
      const rule = make(lr);
      const { params, state } = stepOf(rule, problem)(begin(rule, problem));
      for (const x of tensorsOf([params, evaluated(rule, { params, state })])) assert.equal(x.dtype, dtype);
    }
  });

  describe("the learning rate", () => {
    it("0 moves nothing", async () => {
      const problem = problemOn(await open());
      const rule = make(0);
      let carried = begin(rule, problem);
      for (let i = 0; i < 3; i++) carried = stepOf(rule, problem)(carried);
      const moved = mapTree(carried.params, (a, b) => a.sub(b).abs().max(), problem.start);
      for (const distance of tensorsOf(moved)) assert.isAtMost(distance.item(), 1e-6);
    });

    it("is respected: the steps of two rates differ", async () => {
      const problem = problemOn(await open());
      const [near, far] = [lr, lr / 2].map((rate) => {
        const rule = make(rate);
        let carried = begin(rule, problem);
        for (let i = 0; i < 4; i++) carried = stepOf(rule, problem)(carried);
        return carried.params.layers[0].weight;
      });
      assert.isAbove(
        (near as Tensor)
          .sub(far as Tensor)
          .abs()
          .max()
          .item(),
        0,
      );
    });

    if (schedules)
      it("may be a schedule, which gives what its numbers give", async () => {
        const problem = problemOn(await open());
        const constant = make(lr);
        const scheduled = make(() => lr);
        let [a, b] = [begin(constant, problem), begin(scheduled, problem)];
        for (let i = 0; i < 4; i++) {
          a = stepOf(constant, problem)(a);
          b = stepOf(scheduled, problem)(b);
        }
        await expectSameBits(b.params, a.params, "with a schedule that is constant");
        const falling = make((t) => (t < 2 ? lr : 0));
        let c = begin(falling, problem);
        for (let i = 0; i < 7; i++) c = stepOf(falling, problem)(c);
        assert.equal(falling.hyper?.(c.state).lr ?? 0, 0, "hyper(state).lr is the next update's");
      });
  });

  describe("is a function", () => {
    it("that changes nothing that it is given, and gives the same twice", async () => {
      const problem = problemOn(await open());
      const rule = make(lr);
      const carried = stepOf(rule, problem)(begin(rule, problem));
      const before = await storeState(carried);
      const [one, other] = [stepOf(rule, problem)(carried), stepOf(rule, problem)(carried)];
      await expectSameBits(other, one, "the second time");
      assert.deepEqual(await storeState(carried), before, "what it was given");
    });

    it("that keeps the structure of trees, whatever the order of their keys", async () => {
      const problem = problemOn(await open());
      const rule = make(lr);
      const state = rule.init(problem.start);
      const grads = problem.grads(problem.start);
      const turned = { none: null, scale: grads.scale, layers: grads.layers };
      const context = contextOf(problem, problem.start, state);
      const straight = rule.update(grads, state, context);
      const { updates, state: next } = rule.update(turned as Params, state, context);
      checkSameStructure(problem.start, straight.updates, "the updates");
      checkSameStructure(state, straight.state, "the state after an update");
      checkSameStructure(problem.start, updates, "the updates");
      await expectSameBits(updates, straight.updates, "with keys in another order");
      await expectSameBits(next.step, straight.state.step, "with keys in another order");
      tensorsOf(straight.updates).forEach((update, i) => {
        assert.deepEqual(update.shape, tensorsOf(problem.start)[i]?.shape, "shape of an update");
      });
    });

    it("that is the same compiled, in one program for each of its variants", async () => {
      const device = await open();
      const dtype = device.caps.dtypes.includes("f64") ? "f64" : "f32";
      const problem = problemOn(device, { dtype });
      const rule = make(lr);
      const eager = stepOf(rule, problem);
      for (const told of rule.variant === undefined ? [false] : [false, true]) {
        const { step, recordings } = compiledStep(rule, problem, told);
        let [a, b] = [begin(rule, problem), begin(rule, problem)];
        const variants = new Set<string>();
        for (let i = 0; i < 7; i++) {
          variants.add(told ? (rule.variant?.(b.state) ?? "") : "");
          a = eager(a);
          b = step(b);
          await expectClose(b, a, dtype === "f64" ? 1e-9 : 1e-4, `compiled, after update ${i}`);
        }
        assert.equal(recordings(), variants.size, "recordings of the step");
      }
    });
  });

  it("goes on from a stored state with the same bits", async () => {
    const problem = problemOn(await open());
    const rule = make(lr);
    let carried = begin(rule, problem);
    for (let i = 0; i < 3; i++) carried = stepOf(rule, problem)(carried);
    const stored = await storeState(carried.state);
    const state = restoreState(make(lr).init(problem.start), stored);
    let other: Carried = { params: carried.params, state };
    for (let i = 0; i < 4; i++) {
      carried = stepOf(rule, problem)(carried);
      other = stepOf(make(lr), problem)(other);
    }
    await expectSameBits(other, carried, "from a stored state");
  });

  it("leaves no memory behind", () => {
    const device = interpreter({ collected: false });
    expectNoLeaks(device, () => {
      const problem = problemOn(device);
      const rule = make(lr);
      const first = scope(() => {
        const params = mapTree(problem.start, (p) => p.mul(1));
        return { params, state: rule.init(params) };
      });
      const second = scope(() => stepOf(rule, problem)(first));
      const { step, program } = compiledStep(rule, problem, false);
      let carried = step(second);
      const { buffers } = device.memory();
      for (let i = 0; i < 3; i++) carried = step(carried);
      expect(device.memory().buffers, "buffers after more updates").toBe(buffers);
      program.dispose();
      for (const tree of [first, second, carried, { ...problem }]) disposeAll(tree);
    });
  });

  describe("refuses", () => {
    it("a negative learning rate", () => {
      expectCode(() => make(-0.1), "invalid-argument");
    });

    it("an empty tree", () => {
      expectCode(() => make(lr).init({}), "invalid-argument");
    });

    it("gradients of another tree, naming the path", async () => {
      const problem = problemOn(await open());
      const rule = make(lr);
      const state = rule.init(problem.start);
      const context = contextOf(problem, problem.start, state);
      const { scale: _, ...less } = problem.grads(problem.start);
      const error = expectCode(() => rule.update(less as Params, state, context), "tree-mismatch");
      assert.include(error.message, "scale");
    });
  });
}

/** One update outside of `compile`, with all that a context may have. */
function stepOf(rule: Rule, problem: Quadratic): Step {
  return ({ params, state }) => {
    const next = rule.update(problem.grads(params), state, contextOf(problem, params, state));
    return { params: mapTree(params, (p, update) => p.add(update), next.updates), state: next.state };
  };
}

function contextOf(
  problem: Quadratic,
  params: Params,
  state: RuleState<Params>,
  variant?: string,
): RuleContext<Params> {
  const [like] = tensorsOf(params) as [Tensor];
  return {
    params,
    loss: problem.loss(params),
    key: key(7, { device: like.device }).foldIn(state.step),
    valueAndGrad: (at) => [problem.loss(at), problem.grads(at)],
    hvp: (vector) => problem.hvp(vector),
    ...(variant !== undefined && { variant }),
  };
}

/** The same compiled, told its variant or not; and how often it was recorded. */
function compiledStep(
  rule: Rule,
  problem: Quadratic,
  told: boolean,
): {
  readonly step: Step;
  readonly program: Compiled<[Carried, string | undefined], Carried>;
  readonly recordings: () => number;
} {
  let recordings = 0;
  const program = compile(
    ({ params, state }: Carried, variant: string | undefined): Carried => {
      recordings++;
      const next = rule.update(problem.grads(params), state, contextOf(problem, params, state, variant));
      return { params: mapTree(params, (p, update) => p.add(update), next.updates), state: next.state };
    },
    { donate: [0] },
  );
  const step: Step = (carried) => program(carried, told ? rule.variant?.(carried.state) : undefined);
  return { step, program, recordings: () => recordings };
}

function evaluated(rule: Rule, { params, state }: Carried): Params {
  return rule.evalParams?.(params, state) ?? params;
}

async function expectClose(
  actual: unknown,
  expected: unknown,
  tolerance: number,
  what: string,
): Promise<void> {
  const [a, b] = [await storeState(actual), await storeState(expected)];
  for (const [path, one] of a) {
    const other = b.get(path);
    const [x, y] = [one, other].map((leaf) => (typeof leaf === "number" ? [leaf] : (leaf?.data ?? [])));
    (x as ArrayLike<number> & number[]).forEach((value, i) => {
      const wanted = y?.[i] as number;
      const close =
        Object.is(value, wanted) || Math.abs(value - wanted) <= tolerance * (1 + Math.abs(wanted));
      assert.ok(close, `${what}: ${path}[${i}] is ${value}, expected ${wanted}`);
    });
  }
}

function disposeAll(tree: unknown): void {
  for (const x of tensorsOf(tree)) x.dispose();
}
