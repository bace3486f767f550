import type { Backend, DType, NestedArray, Reduction, Tensor } from "@gradus/core";
import { interpreter } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { assert } from "vitest";
import type { LossInputs, LossSuiteOptions } from "../describe-loss.js";

/** What the suite passes to a loss beside the options of its user. */
export interface CallOptions {
  readonly reduction?: Reduction;
  readonly sampleWeight?: Tensor;
}

/** Declares a test; vitest's `it` does. What does not apply to a loss is not declared. */
export type DeclareTest = (title: string, run: () => void | Promise<void>) => void;

export type AnyLoss = (predictions: Tensor, targets: Tensor, options?: object) => Tensor;

/** Predictions and targets as tensors. */
export interface Batch {
  readonly predictions: Tensor;
  readonly targets: Tensor;
}

const usual: LossInputs = {
  predictions: [
    [0.31, -1.2],
    [2.5, 0.13],
    [-0.7, 0.45],
  ],
  targets: [
    [0.9, 0.62],
    [-0.7, 2.05],
    [0.2, -1.1],
  ],
};

/** The loss under test, and what it is tested on. */
export class LossSubject {
  constructor(
    private readonly loss: AnyLoss,
    readonly options: LossSuiteOptions,
  ) {}

  call({ predictions, targets }: Batch, options: CallOptions = {}): Tensor {
    return this.loss(predictions, targets, { ...this.options.options, ...options });
  }

  knows(reduction: Reduction): boolean {
    return this.options.reductions?.includes(reduction) ?? true;
  }

  get reductions(): readonly Reduction[] {
    return (["none", "mean", "sum"] as const).filter((one) => this.knows(one));
  }

  /** The usual inputs. */
  batch(dtype: "f32" | "f64", device?: Backend): Batch {
    const { predictions = usual.predictions, targets = usual.targets } = this.options;
    return this.tensors({ predictions, targets }, dtype, device);
  }

  /** The extreme ones. */
  extremes(dtype: "f32" | "f64", device?: Backend): Batch {
    if (this.options.extreme !== undefined) return this.tensors(this.options.extreme, dtype, device);
    const { predictions, targets } = this.batch(dtype, device);
    const values = Float64Array.from({ length: predictions.size }, (_, i) => [1e4, -1e4, 0][i % 3] as number);
    return { predictions: make(values, dtype, device, predictions.shape), targets };
  }

  /** No samples, of the usual shapes. */
  nothing(dtype: "f32" | "f64"): Batch {
    const { predictions, targets } = this.batch(dtype);
    const none = (x: Tensor): Tensor =>
      make(new Float64Array(0), x.dtype, undefined, [0, ...x.shape.slice(1)]);
    return { predictions: none(predictions), targets: none(targets) };
  }

  /** One weight for each sample. */
  weights(dtype: "f32" | "f64", samples: number): Tensor {
    return make(
      Float64Array.from({ length: samples }, (_, i) => [0.5, 2, 0][i % 3] as number),
      dtype,
    );
  }

  async device(): Promise<Backend> {
    return (await this.options.device?.()) ?? interpreter();
  }

  private tensors({ predictions, targets }: LossInputs, dtype: "f32" | "f64", device?: Backend): Batch {
    return {
      predictions: make(predictions, dtype, device),
      targets: make(targets, this.options.targetDtype ?? dtype, device),
    };
  }
}

function make(
  values: NestedArray | Float64Array,
  dtype: DType,
  device?: Backend,
  shape?: readonly number[],
): Tensor {
  return tensor(values, { dtype, ...(device && { device }), ...(shape && { shape }) });
}

/** Fails unless two tensors have the same shape and nearly the same elements. */
export async function expectAlike(got: Tensor, want: Tensor, what: string): Promise<void> {
  assert.deepEqual([...got.shape], [...want.shape], `${what}: shape`);
  const [a, b] = [await got.read(), await want.read()];
  for (let i = 0; i < a.length; i++) expectNear(a[i] as number, b[i] as number, `${what}: element ${i}`);
}

/** Within what f32 allows. */
export function expectNear(got: number, want: number, what: string): void {
  if (Object.is(got, want) || Math.abs(got - want) <= 1e-6 + 2e-5 * Math.abs(want)) return;
  assert.fail(`${what} is ${got}, expected ${want}`);
}
