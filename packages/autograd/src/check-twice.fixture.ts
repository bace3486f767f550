import { grad, gradcheck, gradgradcheck, stackTrees, vmap } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { expect } from "vitest";

/**
 * Checks first and second derivatives of `f` against differences, and that `vmap` computes of each example what `f` does,
 * the gradient too.
 */
export function checkTwice(f: (inputs: readonly Tensor[]) => Tensor, inputs: readonly Tensor[]): void {
  expect(gradcheck(f, inputs).compared).toBe(f(inputs).size * inputs.reduce((sum, x) => sum + x.size, 0));
  gradgradcheck(f, inputs, { atol: 1e-4, fast: true });
  const examples = [inputs, inputs.map((x) => x.mul(0.97))] as const;
  const all = stackTrees(examples);
  const gradient = grad((xs: readonly Tensor[]) => f(xs).square().sum());
  expectSame([vmap(f)(all)], stackTrees(examples.map((xs) => [f(xs)])));
  expectSame(vmap(gradient)(all), stackTrees(examples.map(gradient)));
}

/** Equal up to rounding; where one is NaN, so is the other. */
function expectSame(actual: readonly Tensor[], expected: readonly Tensor[]): void {
  actual.forEach((x, k) => {
    const y = expected[k] as Tensor;
    expect(x.shape).toEqual(y.shape);
    const near = x.sub(y).abs().le(y.abs().mul(1e-9).add(1e-12));
    expect(near.logicalOr(x.eq(y)).logicalOr(x.isNaN().logicalAnd(y.isNaN())).all().item()).toBe(1);
  });
}
