export type DeviceName = "cpu" | "webgpu" | "webgl";

/** What the page asks of a worker: one training. */
export interface Order {
  readonly device: DeviceName;
  readonly epochs: number;
}

/** What the worker tells. */
export type News =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "epoch"; readonly epoch: number; readonly loss: number }
  | {
      readonly kind: "finished";
      readonly seconds: number;
      readonly right: number;
      readonly rows: number;
      readonly examples: readonly Example[];
    }
  | { readonly kind: "failed"; readonly message: string };

/** A digit of the test set. */
export interface Example {
  /** 64 pixels from 0 to 1. */
  readonly pixels: readonly number[];
  readonly label: number;
  readonly predicted: number;
}
