import { gradcheck } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { key, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { gruCell } from "./gru-cell.js";
import { lstmCell } from "./lstm-cell.js";
import type { RecurrentParams } from "./recurrent.js";
import { rnnTanhCell } from "./rnn-tanh-cell.js";

const f64 = (values: Parameters<typeof tensor>[0]): Tensor => tensor(values, { dtype: "f64" });
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Weights of one input and one hidden feature: gate g has 0.1 (g + 1) for the input, -0.2 (g + 1) for the state. */
function weights(gates: number): RecurrentParams {
  const rows = Array.from({ length: gates }, (_, g) => g + 1);
  return {
    weightIh: f64(rows.map((g) => [0.1 * g])),
    weightHh: f64(rows.map((g) => [-0.2 * g])),
    biasIh: f64(rows.map((g) => 0.05 * g)),
    biasHh: f64(rows.map((g) => 0.01 * g)),
  };
}
const fromInput = (g: number, x: number): number => (0.1 * x + 0.05) * g;
const fromState = (g: number, h: number): number => (-0.2 * h + 0.01) * g;

describe("recurrent cells", () => {
  const [x, h, c] = [2, 0.5, -0.4];

  it("rnnTanhCell follows its formula", () => {
    const next = rnnTanhCell(1, 1).apply(weights(1), f64([[x]]), f64([[h]]));
    expect(next.item()).toBeCloseTo(Math.tanh(fromInput(1, x) + fromState(1, h)), 12);
  });

  it("gruCell has the gates reset, update, new", () => {
    const next = gruCell(1, 1).apply(weights(3), f64([[x]]), f64([[h]]));
    const reset = sigmoid(fromInput(1, x) + fromState(1, h));
    const update = sigmoid(fromInput(2, x) + fromState(2, h));
    const fresh = Math.tanh(fromInput(3, x) + reset * fromState(3, h));
    expect(next.item()).toBeCloseTo((1 - update) * fresh + update * h, 12);
  });

  it("lstmCell has the gates input, forget, cell, output", () => {
    const next = lstmCell(1, 1).apply(weights(4), f64([[x]]), { h: f64([[h]]), c: f64([[c]]) });
    const gate = (g: number): number => fromInput(g, x) + fromState(g, h);
    const memory = sigmoid(gate(2)) * c + sigmoid(gate(1)) * Math.tanh(gate(3));
    expect(next.c.item()).toBeCloseTo(memory, 12);
    expect(next.h.item()).toBeCloseTo(sigmoid(gate(4)) * Math.tanh(memory), 12);
  });

  it("start at zeros, take inputs without a batch, and need no biases", () => {
    const cell = gruCell(3, 2, { bias: false });
    const params = cell.init(key(1));
    expect(Object.keys(params)).toEqual(["weightIh", "weightHh"]);
    const input = tensor([1, 2, 3]);
    expect(cell.start(input).toArray()).toEqual([0, 0]);
    expect(cell.apply(params, input, cell.start(input)).shape).toEqual([2]);
  });

  it("have gradients by weights, inputs and state", () => {
    const { weightIh, weightHh, biasIh, biasHh } = weights(4);
    const inputs = [
      weightIh,
      weightHh,
      biasIh as Tensor,
      biasHh as Tensor,
      f64([[x]]),
      f64([[h]]),
      f64([[c]]),
    ];
    gradcheck((all: readonly Tensor[]) => {
      const [wi, wh, bi, bh, input, state, memory] = all as [
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
        Tensor,
      ];
      const params = { weightIh: wi, weightHh: wh, biasIh: bi, biasHh: bh };
      const next = lstmCell(1, 1).apply(params, input, { h: state, c: memory });
      return next.h.add(next.c);
    }, inputs);
  });

  it("reject other sizes", () => {
    const cell = lstmCell(3, 2);
    const params = cell.init(key(0));
    const state = cell.start(tensor([[1, 2, 3]]));
    expect(() => cell.apply(params, tensor([[1, 2]]), state)).toThrow(
      "lstmCell(3, 2): the input must have 3 features, got 2",
    );
    expect(() => cell.apply(gruCell(3, 2).init(key(0)), tensor([[1, 2, 3]]), state)).toThrow(
      "weightIh must be [8, 3], got [6, 3]",
    );
    expect(() => gruCell(0, 2)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });
});
