/**
 * What went wrong, as a stable word. Messages may change between versions; codes do not.
 *
 * Two copies of this package may live on one page, so recognise an error by its code, never by `instanceof`.
 */
export type ErrorCode =
  | "shape-mismatch" // sizes that do not fit each other
  | "axis-out-of-range" // an axis the tensor does not have, or one named twice
  | "index-out-of-range" // an element, class or row that does not exist
  | "dtype-mismatch" // a dtype the operation does not take
  | "invalid-argument" // an option or value outside its range
  | "ragged-array" // nested arrays whose rows differ in length
  | "not-scalar" // one element was needed
  | "disposed" // a tensor whose memory was given back
  | "donated" // a tensor that was handed to a compiled function
  | "device-mismatch" // tensors of two devices in one operation
  | "no-sync-read" // the device cannot be read without waiting
  | "value-in-trace" // a value was asked for while compiling
  | "async-scope" // a scope or transform whose callback returned a Promise
  | "no-gradient" // the result does not depend on what it should be differentiated by
  | "gradient-mismatch" // a gradient that differs from finite differences
  | "not-differentiable" // an operation or dtype without a derivative
  | "tree-mismatch" // two trees of different structure
  | "kernel-invalid" // a kernel that breaks the rules of the kernel language
  | "out-of-memory" // the device's limit
  | "device-lost" // hardware or threads that are gone
  | "unsupported" // the backend cannot do this; its caps say so
  | "non-finite" // NaN or infinity where none may be
  | "corrupt-file" // a file that is not what it claims to be
  | "aborted"; // an AbortSignal fired

/** Every error that this library throws on purpose: a message that names the mend, and a stable `code`. */
export class GradusError extends Error {
  override readonly name = "GradusError";
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Whether `error` is one of this library's errors (from any copy of it), and has the given code if one is named. */
export function isGradusError(error: unknown, code?: ErrorCode): error is GradusError {
  if (!(error instanceof Error) || error.name !== "GradusError") return false;
  return code === undefined || (error as GradusError).code === code;
}

/** Throws a {@link GradusError}. A function, so that it can stand where an expression must. */
export function fail(code: ErrorCode, message: string): never {
  throw new GradusError(code, message);
}
