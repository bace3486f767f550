import { fail, formatShape, type Key, sameShape, type Tensor } from "@gradus/core";
import { checkSize } from "./check-size.js";

/** The weights of a recurrent cell, in PyTorch's layout: a block of `hidden` rows for each gate. */
export interface RecurrentParams {
  /** `[gates * hidden, inputs]`. */
  readonly weightIh: Tensor;
  /** `[gates * hidden, hidden]`. */
  readonly weightHh: Tensor;
  /** `[gates * hidden]`; both biases or none. */
  readonly biasIh?: Tensor;
  readonly biasHh?: Tensor;
}

export interface RecurrentOptions {
  /** Whether there are biases. Default true. */
  readonly bias?: boolean;
}

/** One step of a recurrent network. A sequence is a loop over it. */
export interface RecurrentCell<S> {
  readonly name: string;
  /** Weights, uniform within 1 / sqrt(hidden) of 0, as in PyTorch. */
  init(key: Key): RecurrentParams;
  /** The state before the first step: zeros, for inputs like x. */
  start(x: Tensor): S;
  /** The state after the input `[..., inputs]`. */
  apply(params: RecurrentParams, x: Tensor, state: S): S;
}

/** What the cells share: weights, and the gates' sums. */
export class Gates {
  readonly name: string;

  constructor(
    kind: string,
    private readonly count: number,
    private readonly inputs: number,
    private readonly hidden: number,
    private readonly options: RecurrentOptions,
  ) {
    checkSize(kind, "inputs", inputs);
    checkSize(kind, "hidden", hidden);
    this.name = `${kind}(${inputs}, ${hidden})`;
  }

  init(key: Key): RecurrentParams {
    const bound = 1 / Math.sqrt(this.hidden);
    const rows = this.count * this.hidden;
    const draw = (stream: number, shape: readonly number[]): Tensor =>
      key.foldIn(stream).uniform(shape, { low: -bound, high: bound });
    const weights = {
      weightIh: draw(0, [rows, this.inputs]),
      weightHh: draw(1, [rows, this.hidden]),
    };
    if (this.options.bias === false) return weights;
    return { ...weights, biasIh: draw(2, [rows]), biasHh: draw(3, [rows]) };
  }

  start(x: Tensor): Tensor {
    const shape = [...x.shape.slice(0, -1), this.hidden];
    return x.engine.full(shape, 0, { dtype: x.dtype, device: x.device });
  }

  /** Of each gate, what the input and what the state contribute. */
  sums(params: RecurrentParams, x: Tensor, h: Tensor): [fromInput: Tensor, fromState: Tensor][] {
    const { weightIh, weightHh, biasIh, biasHh } = params;
    const rows = this.count * this.hidden;
    this.check("the input", x.shape.at(-1), this.inputs);
    this.check("the state", h.shape.at(-1), this.hidden);
    for (const [what, weight, columns] of [
      ["weightIh", weightIh, this.inputs],
      ["weightHh", weightHh, this.hidden],
    ] as const) {
      if (!sameShape(weight.shape, [rows, columns])) {
        fail(
          "shape-mismatch",
          `${this.name}: ${what} must be [${rows}, ${columns}], got ${formatShape(weight.shape)}`,
        );
      }
    }
    const withBias = (y: Tensor, bias: Tensor | undefined): Tensor => (bias === undefined ? y : y.add(bias));
    const fromInput = withBias(x.matmul(weightIh.transpose()), biasIh);
    const fromState = withBias(h.matmul(weightHh.transpose()), biasHh);
    const part = (y: Tensor, gate: number): Tensor =>
      y.slice(...y.shape.slice(0, -1).map(() => null), [gate * this.hidden, (gate + 1) * this.hidden]);
    return Array.from({ length: this.count }, (_, gate) => [part(fromInput, gate), part(fromState, gate)]);
  }

  private check(what: string, got: number | undefined, expected: number): void {
    if (got !== expected)
      fail("shape-mismatch", `${this.name}: ${what} must have ${expected} features, got ${got ?? "no axes"}`);
  }
}
