import { grad } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { compile, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { ctc } from "./index.js";

const i32 = (values: number | number[] | number[][]) => tensor(values, { dtype: "i32" });
const none = { reduction: "none" } as const;

/** Minus the log-probability of a target, summed over every path through the frames. */
function byEveryPath(logs: number[][], target: number[], blank: number): number {
  const classes = logs[0]?.length ?? 0;
  let total = 0;
  for (let path = 0; path < classes ** logs.length; path++) {
    const labels = logs.map((_, t) => Math.floor(path / classes ** t) % classes);
    const spelled = labels.filter((c, t) => c !== blank && c !== labels[t - 1]);
    if (`${spelled}` !== `${target}`) continue;
    total += Math.exp(labels.reduce((sum, c, t) => sum + (logs[t]?.[c] as number), 0));
  }
  return -Math.log(total);
}

const frames = 5;
const logs = tensor(
  Array.from({ length: frames * 3 * 3 }, (_, i) => Math.sin(3 * i)),
  { dtype: "f64" },
)
  .reshape([frames, 3, 3])
  .logSoftmax(-1);
const sequence = (n: number, length: number): number[][] =>
  (logs.toArray() as number[][][]).slice(0, length).map((frame) => frame[n] as number[]);

describe("ctc", () => {
  it("sums over every path, for inputs and targets of different lengths and repeated labels", () => {
    const targets = [[1, 1], [2], []];
    const lengths = [5, 4, 3];
    const padded = i32([
      [1, 1],
      [2, 77],
      [-5, 0],
    ]);
    const losses = ctc(logs, padded, i32(lengths), i32([2, 1, 0]), none).data();
    const want = targets.map((target, n) => byEveryPath(sequence(n, lengths[n] as number), target, 0));
    want.forEach((w, n) => {
      expect(losses[n]).toBeCloseTo(w, 12);
    });
    const mean = ctc(logs, padded, i32(lengths), i32([2, 1, 0])).item();
    expect(mean).toBeCloseTo(((want[0] as number) / 2 + (want[1] as number) + (want[2] as number)) / 3, 12);
  });

  it("takes another blank", () => {
    const loss = ctc(
      logs,
      i32([
        [0, 1],
        [1, 0],
        [1, 1],
      ]),
      i32([5, 5, 5]),
      i32([2, 2, 2]),
      { ...none, blank: 2 },
    );
    const targets = [
      [0, 1],
      [1, 0],
      [1, 1],
    ];
    targets.forEach((target, n) => {
      expect(loss.data()[n]).toBeCloseTo(byEveryPath(sequence(n, 5), target, 2), 12);
    });
  });

  it("takes targets one after the other, compiled too", () => {
    const [inputs, lengths] = [i32([5, 5, 5]), i32([2, 0, 1])];
    const want = ctc(
      logs,
      i32([
        [1, 2],
        [0, 0],
        [2, 0],
      ]),
      inputs,
      lengths,
      none,
    ).toArray();
    const joined = i32([1, 2, 2]);
    expect(ctc(logs, joined, inputs, lengths, none).toArray()).toEqual(want);
    const compiled = compile((x: Tensor, t: Tensor, n: Tensor, m: Tensor) => ctc(x, t, n, m, none));
    const got = compiled(logs, joined, inputs, lengths).data();
    (want as number[]).forEach((w, i) => {
      expect(got[i]).toBeCloseTo(w, 12);
    });
  });

  it("takes one sequence", () => {
    const one = logs.slice(null, [1, 2]).squeeze(1);
    const loss = ctc(one, i32([1, 2]), i32(5), i32(2), none);
    expect(loss.shape).toEqual([]);
    expect(loss.item()).toBeCloseTo(byEveryPath(sequence(1, 5), [1, 2], 0), 12);
  });

  it("gives frames beyond the input's length no gradient", () => {
    const gradient = grad((x: Tensor) => ctc(x, i32([[1], [2], [1]]), i32([5, 2, 0]), i32([1, 1, 0])))(logs);
    const outside = gradient.slice([2, 5], [1, 2]).data();
    expect([...outside].every((g) => g === 0)).toBe(true);
    expect([...gradient.slice(null, [2, 3]).data()].every((g) => g === 0)).toBe(true);
  });

  it("is infinite with gradient NaN for a target that does not fit, and harms no other sample", () => {
    const call = (x: Tensor, zeroInfinity: boolean) =>
      ctc(
        x,
        i32([
          [1, 1],
          [1, 2],
          [1, 0],
        ]),
        i32([2, 2, 0]),
        i32([2, 2, 1]),
        { ...none, zeroInfinity },
      );
    const losses = call(logs, false).data();
    expect(losses[0]).toBe(Number.POSITIVE_INFINITY);
    expect(losses[1]).toBeCloseTo(byEveryPath(sequence(1, 2), [1, 2], 0), 12);
    expect(losses[2]).toBe(Number.POSITIVE_INFINITY);
    const gradient = grad((x: Tensor) => call(x, false).sum())(logs);
    expect([...gradient.slice([0, 2], [0, 1]).data()].some(Number.isNaN)).toBe(true);
    expect([...gradient.slice([0, 2], [1, 2]).data()].every(Number.isFinite)).toBe(true);
    expect(call(logs, true).data()[0]).toBe(0);
    const zeroed = grad((x: Tensor) => call(x, true).sum())(logs);
    expect([...zeroed.slice(null, [0, 1]).data()].every((g) => g === 0)).toBe(true);
  });

  it("takes classes of probability 0, with a finite gradient", () => {
    const sure = tensor([[[0.5, 0.5, 0]], [[0.5, 0, 0.5]]], { dtype: "f64" }).log();
    const call = (x: Tensor) => ctc(x, i32([[1]]), i32([2]), i32([1]));
    expect(call(sure).item()).toBeCloseTo(Math.log(4), 12);
    expect([...grad(call)(sure).data()].every(Number.isFinite)).toBe(true);
  });

  it("names what does not fit", () => {
    const [inputs, lengths] = [i32([5, 5, 5]), i32([1, 1, 1])];
    const targets = i32([[1], [2], [1]]);
    const wrong = i32([[1], [3], [1]]);
    expect(() => ctc(logs, wrong, inputs, lengths)).toThrow(
      "ctc: target 3 at row 1, position [0] is not a class",
    );
    expect(() => ctc(logs, targets, i32([5, 6, 5]), lengths)).toThrow(
      "inputLengths must be in [0, 5], got 6",
    );
    expect(() => ctc(logs, targets, inputs, i32([1, 2, 1]))).toThrow(
      "targetLengths must be in [0, 1], got 2",
    );
    expect(() => ctc(logs, i32([1, 2]), inputs, lengths)).toThrow("add up to 3, but there are 2 targets");
    expect(() => ctc(logs, targets, i32([5]), lengths)).toThrow("inputLengths [1] must have one length");
    expect(() => ctc(logs, targets.cast("f32"), inputs, lengths)).toThrow("targets must be i32, got f32");
    expect(() => ctc(logs, targets, inputs, lengths, { blank: 3 })).toThrow("blank must be a class, 0 to 2");
    expect(() => ctc(logs, i32([[1]]), inputs, lengths)).toThrow("expected [3, S]");
    expect(() => ctc(tensor([1]), targets, inputs, lengths)).toThrow("must be [T, N, C]");
  });
});
