import { type ContractKernel, cast, type Expr } from "@gradus/core";
import type { WasmFunction, WasmModule } from "../wasm/encode.js";
import { Callees } from "./callees.js";
import { axesOf, type Contraction, type GroupName } from "./contract-frame.js";
import { Lowering } from "./lower.js";
import { multiplyFunction } from "./multiply-function.js";
import { leftOperand, type Operand, rightOperand } from "./operand.js";
import { packFunction } from "./pack-function.js";
import { packTransposedFunction } from "./pack-transposed-function.js";
import { stridedLoads } from "./strided-loads.js";
import { TILE_VECTORS, tileFunction, tileRows } from "./tile-function.js";
import { writeFunction } from "./write-function.js";

export interface ContractModule {
  readonly module: WasmModule;
  readonly left: Operand;
  /** The kernel as it is computed. */
  readonly kernel: Contraction;
}

/** A module whose `run` runs the contraction. */
export function contractModule(kernel: ContractKernel, entry: string): ContractModule {
  const lowered = lowerContract(kernel);
  const { a, b, writes, accumulate } = lowered;
  const callees = new Callees([a, b, ...writes.flatMap(({ index, value }) => [index, value])]);
  const [left, right] = [leftOperand(lowered, a), rightOperand(lowered, b)];
  const functions: WasmFunction[] = [...callees.functions];
  const add = (made: WasmFunction): number => functions.push(made) - 1;
  const pack = ({ value, rows, columns }: Operand): WasmFunction =>
    packFunction(lowered, callees, value, rows, columns);
  const tiles = new Map<string, number>();
  for (let rows = 1; rows <= tileRows(accumulate); rows++) {
    for (let vectors = 1; vectors <= TILE_VECTORS; vectors++) {
      tiles.set(`${rows} ${vectors}`, add(tileFunction(accumulate, rows, vectors)));
    }
  }
  const parts = {
    packLeft: add(pack(left)),
    ...((right.isDense || right.transposed === undefined) && { packRight: add(pack(right)) }),
    ...(right.transposed !== undefined && {
      transposeRight: add(
        packTransposedFunction(lowered, callees, right.transposed, right.rows, right.columns),
      ),
    }),
    write: add(writeFunction(lowered, callees)),
    tile: (rows: number, vectors: number): number => tiles.get(`${rows} ${vectors}`) as number,
  };
  add({ ...multiplyFunction(lowered, callees, left, right, parts), exported: entry });
  return { module: { functions }, left, kernel: lowered };
}

function lowerContract(kernel: ContractKernel): Contraction {
  const lowering = new Lowering();
  const { a, b, accumulate, writes } = kernel;
  const lowered = {
    ...kernel,
    a: lowering.lower(cast(a, accumulate)),
    b: lowering.lower(cast(b, accumulate)),
    writes: writes.map((one) => ({
      ...one,
      index: lowering.lower(one.index),
      value: lowering.lower(one.value),
    })),
    isTurned: false,
  };
  // Rows that are written, and read by what is written, should be dense.
  const stridesAlong = (name: GroupName): number => {
    const axis = axesOf(lowered, name).at(-1);
    const strides = lowered.writes.map(({ buffer, index, value }) => {
      const target: Expr = { kind: "load", buffer, index, dtype: value.dtype };
      return axis === undefined ? 1 : stridedLoads(target, axis) + stridedLoads(value, axis);
    });
    return strides.reduce((a, b) => a + b, 0);
  };
  if (stridesAlong("n") <= stridesAlong("m")) return lowered;
  return { ...lowered, a: lowered.b, b: lowered.a, isTurned: true };
}
