import type { Backend } from "@gradus/core";
import { describe } from "vitest";
import { contractKernels } from "./contract.js";
import { errors } from "./errors.js";
import { halfStorage } from "./half.js";
import { loopKernels } from "./loops.js";
import { memory } from "./memory.js";
import { nativeKernels } from "./natives.js";
import { ordering } from "./order.js";
import { scalarOperations } from "./scalar-ops.js";
import { Subject } from "./subject.js";
import type { Tolerance, ToleranceName } from "./tolerance.js";
import { training } from "./training.js";

export interface BackendSuiteOptions {
  /**
   * How close results must be, for names whose default is too strict or too lax. By default what IEEE 754 rounds once is
   * exact, division and roots may be off by 4 units in the last place, and functions by 64 units or 1e-6.
   */
  readonly tolerances?: Partial<Record<ToleranceName, Tolerance>>;
}

/**
 * Declares the tests that every backend passes, at the level of the `Backend` interface: buffers and kernels, and a training
 * that must go as on the interpreter. For authors of backends: if these pass, tensors, gradients, `compile` and training
 * work on the backend, since they use nothing else.
 *
 * Results are compared with the reference interpreter of `@gradus/core`, which rounds each f32 operation, and with
 * closed forms. Only what `caps` claims is asked for: a kernel of a dtype that `caps.dtypes` lacks must be refused with
 * `unsupported`. A denormal result of f32 or f64 may be flushed to zero; NaN, infinities, integer overflow and division by zero are
 * the same everywhere.
 *
 * @param create makes a device. It is called once for each part of the suite, and disposed after it.
 *
 * @example In a test file of your backend, with `sin` and `cos` as accurate as the hardware's:
 * ```ts suite
 * import { describeBackend } from "@gradus/conformance";
 * import { interpreter } from "@gradus/core";
 * describeBackend("my backend", () => interpreter({ precision: "float32" }), {
 *   tolerances: { sin: { absolute: 5e-4 }, cos: { absolute: 5e-4 } },
 * });
 * ```
 */
export function describeBackend(
  name: string,
  create: () => Backend | Promise<Backend>,
  options: BackendSuiteOptions = {},
): void {
  const part = (title: string, tests: (subject: Subject) => void): void => {
    describe(title, () => {
      const subject = new Subject(create, options.tolerances ?? {});
      subject.install();
      tests(subject);
    });
  };
  describe(name, () => {
    part("memory", memory);
    part("order", ordering);
    part("errors", errors);
    part("scalar operations", scalarOperations);
    part("loop kernels", loopKernels);
    part("contractions", contractKernels);
    part("natives", nativeKernels);
    part("f16", halfStorage);
    part("training", training);
  });
}
