import type { Tensor } from "@gradus/core";
import { gruCell, lstmCell, type RecurrentParams, rnnTanhCell } from "@gradus/nn";
import type { OpTable } from "./op.js";

/** Recurrent cells: `input`, the state, then the weights. */
export const recurrent: OpTable = {
  rnn_tanh_cell: ([x, h, ...weights]) => {
    const input = x as Tensor;
    return rnnTanhCell(...sizes(input, h as Tensor)).apply(paramsOf(weights), input, h as Tensor);
  },
  gru_cell: ([x, h, ...weights]) => {
    const input = x as Tensor;
    return gruCell(...sizes(input, h as Tensor)).apply(paramsOf(weights), input, h as Tensor);
  },
  lstm_cell: ([x, h, c, ...weights]) => {
    const [input, state] = [x as Tensor, { h: h as Tensor, c: c as Tensor }];
    const next = lstmCell(...sizes(input, state.h)).apply(paramsOf(weights), input, state);
    return [next.h, next.c];
  },
};

function sizes(x: Tensor, h: Tensor): [inputs: number, hidden: number] {
  return [x.shape.at(-1) as number, h.shape.at(-1) as number];
}

function paramsOf([weightIh, weightHh, biasIh, biasHh]: readonly Tensor[]): RecurrentParams {
  return {
    weightIh: weightIh as Tensor,
    weightHh: weightHh as Tensor,
    ...(biasIh && { biasIh }),
    ...(biasHh && { biasHh }),
  };
}
