import { fail, type Layer, type Tensor } from "@gradus/core";
import { type Compiled, compile, concat, scope } from "@gradus/tensor";
import { batches } from "./data.js";

export interface BatchOptions {
  /** Rows that are computed at once. Default 256. */
  readonly batchSize?: number;
}

export type Forward<P, S> = Compiled<[params: P, state: S, x: Tensor], Tensor>;

/** A model in evaluation mode, compiled. */
export function forwardOf<P, S>(model: Layer<P, S>): Forward<P, S> {
  return compile((params: P, state: S, x: Tensor) => model.apply(params, state, x, { train: false })[0]);
}

/** The outputs for all rows of `x`, computed in batches. */
export function predictRows<P, S>(
  forward: Forward<P, S>,
  model: { readonly params: P; readonly state: S },
  x: Tensor,
  { batchSize = 256 }: BatchOptions = {},
): Tensor {
  checkBatchSize("predict", batchSize);
  const rows = x.shape[0];
  if (rows === undefined)
    fail("shape-mismatch", "predict: the input has no axes: its first one must be the rows");
  return scope(() => {
    if (rows <= batchSize) return forward(model.params, model.state, x);
    const outputs = [...batches(rows, batchSize)].map(([begin, end]) =>
      forward(model.params, model.state, x.slice([begin, end])),
    );
    return concat(outputs);
  });
}

export function checkBatchSize(what: string, batchSize: number): void {
  if (Number.isInteger(batchSize) && batchSize >= 1) return;
  fail("invalid-argument", `${what}: batchSize must be a whole number of at least 1, got ${batchSize}`);
}
