/** What a schedule of cycles gives: a learning rate, and a momentum that moves against it. */
export interface Cycled {
  readonly lr: (step: number) => number;
  /** For `sgd`'s `momentum`, or `beta1` of `adam` and `adamw`. */
  readonly momentum: (step: number) => number;
}
