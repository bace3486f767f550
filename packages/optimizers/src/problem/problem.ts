import { type Evaluations, fail, type Objective, type Tensor } from "@gradus/core";
import type { LinePoint, Probe } from "../line-search/line-point.js";
import type { FlatLayout } from "./flat-layout.js";
import { numbersOf, type Reading, readAll } from "./reading.js";

/** The objective at some parameters. */
export interface Point<Aux = unknown> {
  /** The parameters as a vector. */
  readonly x: Tensor;
  readonly value: number;
  readonly gradient: Tensor;
  /** The greatest absolute value in the gradient. */
  readonly steepness: number;
  readonly aux: Aux;
}

/** Whether the objective and its gradient are finite there. */
export function isFinitePoint({ value, steepness }: Point): boolean {
  return Number.isFinite(value) && Number.isFinite(steepness);
}

/** An objective on one batch, as a function of a vector; it counts what it is asked. */
export class Problem<P, Batch, Aux> {
  private readonly counts = { value: 0, gradient: 0, hvp: 0, hessian: 0 };

  constructor(
    /** The method that asks, for messages. */
    readonly method: string,
    readonly objective: Objective<P, Batch, Aux>,
    readonly layout: FlatLayout<P>,
    readonly batch: Batch,
  ) {}

  get evaluations(): Evaluations {
    return { ...this.counts };
  }

  /** Value and gradient at `x`. */
  *at(x: Tensor): Reading<Point<Aux>> {
    const { value, gradient, steepness, aux } = yield* this.measure(x);
    return { x, value, gradient, steepness, aux };
  }

  /** The value alone at `x`. */
  *valueAt(x: Tensor): Reading<number> {
    const { layout, objective, batch } = this;
    this.counts.value++;
    const [value] = yield* readAll([
      layout.engine.scope(() => objective.value(layout.unflatten(x), batch)),
    ] as const);
    return value;
  }

  /** The objective on the line from a point along a direction; `project` keeps rounding within bounds. */
  along(
    from: Point<Aux>,
    direction: Tensor,
    project: (x: Tensor) => Tensor = (x) => x,
  ): Probe<LinePoint & Point<Aux>> {
    const { engine } = this.layout;
    const measure = this.measure.bind(this);
    return function* (step) {
      const x = engine.scope(() => project(from.x.add(direction.mul(step))));
      return { step, x, ...(yield* measure(x, direction)) };
    };
  }

  private *measure(x: Tensor, direction?: Tensor): Reading<Omit<LinePoint & Point<Aux>, "x" | "step">> {
    const { layout, objective, batch } = this;
    this.counts.value++;
    this.counts.gradient++;
    const { gradient, aux, numbers } = layout.engine.scope(() => {
      const [loss, grads, aux] = objective.valueAndGrad(layout.unflatten(x), batch);
      const gradient = layout.flatten(grads);
      const numbers = [
        loss.cast(layout.dtype),
        gradient.abs().max(),
        direction === undefined ? loss.zerosLike().cast(layout.dtype) : inner(gradient, direction),
      ] as const;
      return { gradient, aux, numbers };
    });
    const [value, steepness, slope] = yield* readAll(numbers);
    return { value, gradient, steepness, slope, aux };
  }

  /** The Hessian at `x` times a vector. */
  hessianTimes(x: Tensor, vector: Tensor): Tensor {
    const { layout, objective, batch } = this;
    if (objective.hvp === undefined) {
      return fail(
        "invalid-argument",
        `${this.method}: the objective has no hvp, which this method needs. objective(f) of @gradus/autograd makes one that has`,
      );
    }
    this.counts.hvp++;
    return layout.engine.scope(() =>
      layout.flatten(objective.hvp?.(layout.unflatten(x), layout.unflatten(vector), batch) as P),
    );
  }

  /** The Fisher matrix at `x` times a vector. */
  fisherTimes(x: Tensor, vector: Tensor): Tensor {
    const { layout, objective, batch } = this;
    if (objective.fisherVp === undefined) {
      return fail(
        "invalid-argument",
        `${this.method}: the objective has no fisherVp, which this method needs. modelObjective() of @gradus/autograd makes one that has`,
      );
    }
    this.counts.hvp++;
    return layout.engine.scope(() =>
      layout.flatten(objective.fisherVp?.(layout.unflatten(x), layout.unflatten(vector), batch) as P),
    );
  }

  /** Counts a product that the method asked of the objective itself. */
  countProduct(): void {
    this.counts.hvp++;
  }

  /** The whole Hessian at `x`, on the host: `hessian[i][j]`, symmetric. For few parameters. */
  *hessianAt(x: Tensor): Reading<Float64Array[]> {
    const { size } = this.layout;
    const rows: Float64Array[] = [];
    this.counts.hessian++;
    for (let i = 0; i < size; i++) {
      const unit = new Float64Array(size);
      unit[i] = 1;
      rows.push(yield* numbersOf(this.hessianTimes(x, this.layout.vector(unit))));
    }
    // Products are symmetric but for rounding.
    return rows.map((row, i) => row.map((h, j) => (h + ((rows[j] as Float64Array)[i] as number)) / 2));
  }
}

/** The inner product of two vectors, as a tensor: nothing is read. */
export function inner(a: Tensor, b: Tensor): Tensor {
  return a.mul(b).sum();
}
