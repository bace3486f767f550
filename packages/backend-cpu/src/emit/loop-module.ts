import { type DType, type Expr, type LoopKernel, postOrder, scalarOp, stage } from "@gradus/core";
import { F64, type HostImport, V128, type WasmFunction, type WasmModule } from "../wasm/encode.js";
import { FunctionBody } from "../wasm/function-body.js";
import { type Callee, ExpressionEmitter } from "./expressions.js";
import { functionOf } from "./functions.js";
import { instructionOf } from "./instructions.js";
import { loopFunction } from "./loop-function.js";
import { Lowering, operandOf } from "./lower.js";

/** The function that runs a kernel. */
export const ENTRY = "run";

const NO_LEAVES = { axes: [], sizes: [], params: [], buffers: [] };
const LANES = { takes: [V128], gives: [V128] } as const;

/** A module whose `run` runs the kernel, with lanes along its grid or along its inner axes. */
export function loopModule(kernel: LoopKernel, alongGrid: boolean): WasmModule {
  const lowered = lowerKernel(kernel);
  const lanes = new Map<string, Expr>();
  const imports = new Map<string, HostImport>();
  const collect = (roots: readonly Expr[]): void => {
    for (const e of postOrder(roots)) {
      if (e.kind !== "op") continue;
      const operand = operandOf(e);
      if (instructionOf(e.op, operand) !== undefined) continue;
      const inLanes = functionOf(e.op, operand);
      if (inLanes === undefined) {
        const name = `${e.op} ${operand}`;
        const takes = new Array<typeof F64>(e.args.length).fill(F64);
        imports.set(name, { name, signature: { takes, gives: [F64] }, run: hostFunction(e.op, operand) });
      } else if (!lanes.has(e.op)) {
        const whole = new Lowering().lower(inLanes(stage(0, "f32")));
        lanes.set(e.op, whole);
        collect([whole]);
      }
    }
  };
  collect([
    ...lowered.stages.map(({ value }) => value),
    ...lowered.writes.flatMap(({ index, value }) => [index, value]),
    ...(lowered.checks ?? []).map(({ holds }) => holds),
  ]);
  const importNames = [...imports.keys()];
  const laneNames = [...lanes.keys()];
  const callee = (name: string, dtype: DType): Callee =>
    functionOf(name, dtype) === undefined
      ? { kind: "host", index: importNames.indexOf(`${name} ${dtype}`) }
      : { kind: "lanes", index: importNames.length + laneNames.indexOf(name) };
  return {
    imports: [...imports.values()],
    functions: [
      ...[...lanes.values()].map((whole) => laneFunction(whole, callee)),
      { ...loopFunction(lowered, alongGrid, callee), exported: ENTRY },
    ],
  };
}

function laneFunction(whole: Expr, callee: (name: string, dtype: DType) => Callee): WasmFunction {
  const body = new FunctionBody(LANES);
  const emitter = new ExpressionEmitter(body, NO_LEAVES, callee);
  emitter.setStage(0, 0, true);
  emitter.pushVector(whole);
  return body.finish();
}

/** The reference of an operation. */
function hostFunction(name: string, operand: DType): HostImport["run"] {
  const row = scalarOp(name);
  return (operand === "i32" ? row?.integer : undefined) ?? (row?.value as HostImport["run"]);
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
