import { interpreter, type Tensor } from "@gradus/core";
import { expect, it } from "vitest";
import { compile, key, setDefaultDevice } from "../../index.js";

/*
 * Random programs of few square matrices, so that values meet again and again: in rows and columns, turned, cut, reversed,
 * reduced. What is joined must give, to the last bit, what the operations give one by one.
 */

const PROGRAMS = 5000;

/** Numbers of at least 0 and below 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed * 7919;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

type Step = (x: Tensor, y: Tensor, axis: number, n: number) => Tensor;

const steps: readonly Step[] = [
  (x) => x.mul(0.5).exp(),
  (x) => x.tanh(),
  (x, y) => x.add(y),
  (x, y) => x.mul(y),
  (x, y) => x.gt(y).where(x, y),
  (x, _, axis) => x.flip(axis),
  (x) => x.transpose(),
  (x, _y, _axis, n) =>
    x.slice([1, n]).pad([
      [0, 1],
      [0, 0],
    ]),
  (x, y) => x.slice(null, [0, 1]).add(y),
  (x, _y, _axis, n) =>
    x
      .reshape([n * n])
      .sin()
      .reshape([n, n]),
  (x, y, axis) => x.sub(y.max(axis, { keepdims: true })),
  (x, y, axis) => x.div(y.abs().sum(axis, { keepdims: true }).add(1)),
  (x, y, axis) => x.mean(axis, { keepdims: true }).mul(y),
  (x, _, axis, n) => x.sum(axis).mul(0.1).tanh().expand([n, n]),
  (x, _, axis) => x.softmax(axis),
  (x, y) => x.square().mean().add(y),
  (x, y) => x.matmul(y).mul(0.1),
];

it(`gives what the operations give one by one, in ${PROGRAMS} programs`, () => {
  setDefaultDevice(interpreter({ precision: "float32" }));
  for (let seed = 1; seed <= PROGRAMS; seed++) {
    const random = randomOf(seed);
    const n = [3, 5, 17, 20][Math.floor(random() * 4)] as number;
    const plan = Array.from({ length: 3 + Math.floor(random() * 9) }, () => ({
      step: steps[Math.floor(random() * steps.length)] as Step,
      picks: [random(), random()] as const,
      axis: random() < 0.5 ? 0 : 1,
      isWanted: random() < 0.25,
    }));
    const program = (a: Tensor, b: Tensor, c: Tensor): Tensor[] => {
      const values = [a, b.expand([n, n]), c];
      const results: Tensor[] = [];
      for (const { step, picks, axis, isWanted } of plan) {
        const x = values[Math.floor(picks[0] * values.length)] as Tensor;
        // The latest are picked more often.
        const y = values[values.length - 1 - Math.floor(picks[1] ** 2 * values.length)] as Tensor;
        const value = step(x, y, axis, n);
        values.push(value);
        if (isWanted) results.push(value);
      }
      return [...results, values.at(-1) as Tensor];
    };
    const uniform = (shape: number[], stream: number): Tensor => key(seed).foldIn(stream).uniform(shape);
    const given = [uniform([n, n], 0), uniform([n], 1), uniform([n, n], 2)] as const;
    const contents = (results: Tensor[]): unknown[] => results.map((x) => [...x.data()]);
    const compiled = compile(program);
    const expected = contents(program(...given));
    for (const call of ["first", "second"]) {
      expect(contents(compiled(...given)), `program ${seed}, ${call} call`).toEqual(expected);
    }
    compiled.dispose();
  }
});
