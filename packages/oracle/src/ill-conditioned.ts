import type { Tolerance } from "./schema/values.js";

/** A case whose result float32 cannot give to the usual tolerance, however it is computed. */
export interface IllConditioned {
  readonly tolerance: Tolerance;
  readonly reason: string;
}

/** By id. They are compared with their own tolerance on backends that compute in float32, and nowhere else. */
export const illConditioned: Readonly<Record<string, IllConditioned>> = {
  "hvp/conv2d/plain": {
    tolerance: { rtol: 2e-5, atol: 4e-6 },
    reason:
      "an element of 0.04 is the sum of 27 terms of up to 4: the rounding of its inputs alone moves it by 2e-6",
  },
};
