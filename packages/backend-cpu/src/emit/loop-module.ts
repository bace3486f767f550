import type { LoopKernel } from "@gradus/core";
import type { WasmModule } from "../wasm/encode.js";
import { Callees } from "./callees.js";
import { keepStageValues } from "./kept-values.js";
import { loopFunction } from "./loop-function.js";
import { Lowering } from "./lower.js";

/** The function that runs a kernel. */
export const ENTRY = "run";

/** A module whose `run` runs the kernel, with lanes along its grid or along its inner axes. */
export function loopModule(kernel: LoopKernel, alongGrid: boolean): WasmModule {
  const { kernel: lowered, kept } = keepStageValues(lowerKernel(kernel));
  const callees = new Callees([
    ...lowered.stages.map(({ value }) => value),
    ...lowered.writes.flatMap(({ index, value }) => [index, value]),
    ...(lowered.checks ?? []).map(({ holds }) => holds),
  ]);
  return {
    functions: [
      ...callees.functions,
      { ...loopFunction(lowered, kept, alongGrid, callees.find), exported: ENTRY },
    ],
  };
}

function lowerKernel(kernel: LoopKernel): LoopKernel {
  const lowering = new Lowering();
  const { stages, writes, checks = [] } = kernel;
  return {
    ...kernel,
    stages: stages.map((one) => ({ ...one, value: lowering.lower(one.value) })),
    writes: writes.map((one) => ({
      ...one,
      index: lowering.lower(one.index),
      value: lowering.lower(one.value),
    })),
    checks: checks.map((one) => ({ ...one, holds: lowering.lower(one.holds) })),
  };
}
