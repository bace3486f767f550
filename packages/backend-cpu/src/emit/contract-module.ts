import { axesOfContract, type ContractKernel, cast, type Expr } from "@gradus/core";
import type { WasmFunction, WasmModule } from "../wasm/encode.js";
import { Callees } from "./callees.js";
import type { Contraction, GroupName } from "./contract-frame.js";
import { dotFunction } from "./dot-function.js";
import { lanesFor } from "./expressions.js";
import { Lowering } from "./lower.js";
import { multiplyFunction, type Packing, type Parts, type TiledParts } from "./multiply-function.js";
import { isDenseAlongK, leftOperand, type Operand, rightOperand } from "./operand.js";
import { packFunction } from "./pack-function.js";
import { packTransposedFunction } from "./pack-transposed-function.js";
import { slidingContraction } from "./sliding.js";
import { stridedLoads } from "./strided-loads.js";
import { ROW_VECTORS, TILE_VECTORS, tileFunction, tileRows } from "./tile-function.js";
import { writeFunction } from "./write-function.js";

/** A contraction as it is computed, with its operands. */
export interface Plan {
  readonly kernel: Contraction;
  readonly left: Operand;
  readonly right: Operand;
  /** Whether products are summed along k, of operands as they lie. */
  readonly isDot?: boolean;
}

/** How a contraction may be computed; in the other ways where the sizes suit them. */
export interface Plans {
  readonly general: Plan;
  readonly sliding?: Plan;
  /** For few rows. */
  readonly dots: readonly Plan[];
}

export function contractPlans(kernel: ContractKernel): Plans {
  const lowered = lowerContract(kernel);
  const planOf = (kernel: Contraction): Plan => {
    return { kernel, left: leftOperand(kernel, kernel.a), right: rightOperand(kernel, kernel.b) };
  };
  const general = planOf(lowered);
  const dots = [general, planOf(turned(lowered))]
    // What is read again for each few columns may lie anywhere.
    .filter(({ kernel }) => isDenseAlongK(kernel, kernel.b) && lanesFor([kernel.a]) === lanesFor([kernel.b]))
    .map((plan) => ({ ...plan, isDot: true }));
  const found = slidingContraction(lowered);
  if (found === undefined) return { general, dots };
  const right = {
    value: lowered.b,
    columns: "n",
    isDense: true,
    isTransposed: false,
    sliding: found.sliding,
  } as const;
  return {
    general,
    dots,
    sliding: { kernel: found.kernel, left: leftOperand(found.kernel, lowered.a), right },
  };
}

/** A module whose `entry` runs the contraction. */
export function contractModule({ kernel, left, right, isDot = false }: Plan, entry: string): WasmModule {
  const { a, b, writes, accumulate } = kernel;
  const callees = new Callees([a, b, ...writes.flatMap(({ index, value }) => [index, value])]);
  const functions: WasmFunction[] = [...callees.functions];
  const add = (made: WasmFunction): number => functions.push(made) - 1;
  const write = add(writeFunction(kernel, callees));
  const parts: Parts = isDot ? { write, dot: add(dotFunction(kernel, callees)) } : { write, tiled: tiled() };
  add({ ...multiplyFunction(kernel, callees, left, right, parts), exported: entry });
  return { functions };

  function tiled(): TiledParts {
    const packing = (operand: Operand): Packing => ({
      ...((operand.isDense || !operand.isTransposed) && {
        straight: add(packFunction(kernel, callees, operand)),
      }),
      ...(operand.isTransposed && { transposing: add(packTransposedFunction(kernel, callees, operand)) }),
    });
    const tiles = new Map<string, number>();
    const addTile = (rows: number, vectors: number): void => {
      tiles.set(
        `${rows} ${vectors}`,
        add(tileFunction(accumulate, rows, vectors, right.sliding !== undefined)),
      );
    };
    addTile(1, ROW_VECTORS);
    for (let rows = 1; rows <= tileRows(accumulate); rows++) {
      for (let vectors = 1; vectors <= TILE_VECTORS; vectors++) addTile(rows, vectors);
    }
    return {
      packLeft: packing(left),
      packRight: packing(right),
      tile: (rows: number, vectors: number): number => tiles.get(`${rows} ${vectors}`) as number,
    };
  }
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
    axes: axesOfContract(kernel),
    isPitched: false,
  };
  // Rows that are written, and read by what is written, should be dense.
  const stridesAlong = (name: GroupName): number => {
    const axis = lowered.axes[name].at(-1);
    const strides = lowered.writes.map(({ buffer, index, value }) => {
      const target: Expr = { kind: "load", buffer, index, dtype: value.dtype };
      return axis === undefined ? 1 : stridedLoads(target, axis) + stridedLoads(value, axis);
    });
    return strides.reduce((a, b) => a + b, 0);
  };
  return stridesAlong("n") <= stridesAlong("m") ? lowered : turned(lowered);
}

/** With columns as rows. */
function turned(kernel: Contraction): Contraction {
  const { a, b, axes } = kernel;
  return { ...kernel, a: b, b: a, axes: { ...axes, m: axes.n, n: axes.m } };
}
