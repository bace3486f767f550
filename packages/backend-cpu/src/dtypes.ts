import type { DType } from "@gradus/core";

/** What the processor computes with. WebAssembly has no f16. */
export const dtypes: readonly DType[] = ["bool", "i32", "f32", "f64"];
