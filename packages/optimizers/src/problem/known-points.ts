import type { Objective, OptimizerState } from "@gradus/core";

/** What a step asked about: for these, the loss and gradient in its state hold. */
export interface Question {
  readonly objective: unknown;
  readonly params: unknown;
  readonly batch: unknown;
}

/**
 * Remembers for which objective, parameters and batch a state holds the loss and gradient, so that the next step need not
 * ask again. Another objective, other parameters, another batch, or a state that was loaded from a file: the step asks.
 * So a step's result depends on its arguments alone; only its count of evaluations does not.
 */
export class KnownPoints {
  private readonly questions = new WeakMap<OptimizerState, Question & { readonly aux: unknown }>();

  note(state: OptimizerState, question: Question, aux: unknown): void {
    this.questions.set(state, { ...question, aux });
  }

  /** The auxiliary result of the point, if it is known. */
  find<P, Batch, Aux>(
    state: OptimizerState,
    objective: Objective<P, Batch, Aux>,
    params: P,
    batch: Batch,
  ): { readonly aux: Aux } | undefined {
    const known = this.questions.get(state);
    if (known?.objective !== objective || known.params !== params || known.batch !== batch) return undefined;
    return { aux: known.aux as Aux };
  }
}
