import type { DType, StageReduction } from "@gradus/core";
import { F64, I32, V128 } from "../wasm/encode.js";
import { type FunctionBody, op, simd } from "../wasm/function-body.js";
import { instructionOf, typeOf } from "./instructions.js";

/** Combines values into one, or vectors into one in each lane. */
export interface Accumulator {
  begin(): void;
  /** Combines with what `push` pushes: a value of the dtype, or of f64 if `isWide`. */
  combine(push: () => void, isWide?: boolean): void;
  /** Pushes the result. */
  finish(): void;
}

export interface VectorAccumulator extends Accumulator {
  /** Combines the lanes into `total`; absent for positions, which the lanes of a row do not know. */
  fold?(total: Accumulator): void;
}

export function isPosition(reduction: StageReduction): boolean {
  return reduction === "argmax" || reduction === "argmin";
}

function identity(reduction: StageReduction, dtype: DType): number {
  if (reduction === "sum") return 0;
  if (reduction === "prod") return 1;
  const least = reduction === "max" || reduction === "argmax";
  if (dtype === "bool") return least ? 0 : 1;
  if (dtype === "i32") return least ? -2147483648 : 2147483647;
  return least ? -Infinity : Infinity;
}

const isSumLike = (reduction: StageReduction): boolean => reduction === "sum" || reduction === "prod";

/** Combines number by number. Sums and products of floats are f64, as the interpreter's. */
export function numberAccumulator(body: FunctionBody, reduction: StageReduction, dtype: DType): Accumulator {
  const wide = isSumLike(reduction) && dtype === "f32";
  const type = wide ? F64 : typeOf(dtype);
  const total = body.local(type);
  if (isPosition(reduction)) return numberPosition(body, reduction, dtype, total);
  const name = { sum: "add", prod: "mul", max: "maximum", min: "minimum" }[reduction as "sum"];
  const opcode =
    dtype === "bool" ? (reduction === "max" ? 0x72 : 0x71) : instructionOf(name, wide ? "f64" : dtype)?.[0];
  return {
    begin() {
      body.constant(type, identity(reduction, dtype));
      body.set(total);
    },
    combine(push, isWide = false) {
      if (opcode === undefined) {
        // The greater or lesser of two i32.
        const value = body.local(I32);
        push();
        body.tee(value);
        body.get(total);
        body.get(value);
        body.get(total);
        body.put(reduction === "max" ? op.i32Gt : op.i32Lt, op.select);
      } else {
        body.get(total);
        push();
        if (wide && !isWide) body.put(0xbb);
        body.put(opcode);
      }
      body.set(total);
    },
    finish() {
      body.get(total);
      if (wide) body.put(0xb6);
    },
  };
}

function numberPosition(
  body: FunctionBody,
  reduction: StageReduction,
  dtype: DType,
  best: number,
): Accumulator {
  const type = typeOf(dtype);
  const [value, at, position] = [body.local(type), body.local(I32), body.local(I32)];
  const greater = reduction === "argmax";
  return {
    begin() {
      body.constant(type, identity(reduction, dtype));
      body.set(best);
      body.i32(0);
      body.set(at);
      body.i32(0);
      body.set(position);
    },
    combine(push) {
      push();
      body.tee(value);
      body.get(best);
      body.put(instructionOf(greater ? "gt" : "lt", dtype)?.[0] as number);
      if (type !== I32) {
        // The first NaN, after which nothing is better.
        const notEqual = instructionOf("ne", dtype)?.[0] as number;
        const equal = instructionOf("eq", dtype)?.[0] as number;
        body.get(value);
        body.get(value);
        body.put(notEqual);
        body.get(best);
        body.get(best);
        body.put(equal, op.i32And, 0x72);
      }
      body.when(() => {
        body.get(value);
        body.set(best);
        body.get(position);
        body.set(at);
      });
      body.advance(position, 1);
    },
    finish() {
      body.get(at);
    },
  };
}

/** Combines vectors, lane by lane. The result is four lanes of `dtype` (of i32, for positions). */
export function vectorAccumulator(
  body: FunctionBody,
  reduction: StageReduction,
  dtype: DType,
): VectorAccumulator {
  if (isPosition(reduction)) return vectorPosition(body, reduction, dtype);
  if (isSumLike(reduction) && dtype === "f32") return wideAccumulator(body, reduction);
  const total = body.local(V128);
  const instruction = {
    sum: simd.addI32,
    prod: simd.mulI32,
    max: dtype === "f32" ? simd.maxF32 : dtype === "i32" ? simd.maxI32 : simd.or,
    min: dtype === "f32" ? simd.minF32 : dtype === "i32" ? simd.minI32 : simd.and,
  }[reduction as "sum"];
  return {
    begin() {
      const start = identity(reduction, dtype);
      body.constantVector(typeOf(dtype), dtype === "bool" ? -start : start);
      body.set(total);
    },
    combine(push) {
      body.get(total);
      push();
      body.simd(instruction);
      body.set(total);
    },
    finish() {
      body.get(total);
    },
    fold(into) {
      for (let lane = 0; lane < 4; lane++) into.combine(() => pushLane(body, dtype, total, lane));
    },
  };
}

/** Pushes one lane of a vector in a local. */
export function pushLane(body: FunctionBody, dtype: DType, vector: number, lane: number): void {
  body.get(vector);
  body.simd(dtype === "f32" ? simd.extractF32 : simd.extractI32, lane);
  if (dtype === "bool") {
    body.i32(1);
    body.put(op.i32And);
  }
}

const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

/** Lanes of f32 in two vectors of f64. */
function wideAccumulator(body: FunctionBody, reduction: StageReduction): VectorAccumulator {
  const [low, high, value] = [body.local(V128), body.local(V128), body.local(V128)];
  const instruction = reduction === "sum" ? simd.addF64 : simd.mulF64;
  return {
    begin() {
      for (const half of [low, high]) {
        body.constant(F64, identity(reduction, "f64"));
        body.simd(simd.splatF64);
        body.set(half);
      }
    },
    combine(push) {
      push();
      body.tee(value);
      body.simd(simd.promoteLow);
      body.get(low);
      body.simd(instruction);
      body.set(low);
      body.get(value);
      body.get(value);
      body.simd(simd.shuffle, ...UPPER_HALF);
      body.simd(simd.promoteLow);
      body.get(high);
      body.simd(instruction);
      body.set(high);
    },
    finish() {
      body.get(low);
      body.simd(simd.demote);
      body.get(high);
      body.simd(simd.demote);
      body.simd(simd.shuffle, ...[0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
    },
    fold(total) {
      for (const half of [low, high]) {
        for (const lane of [0, 1]) {
          total.combine(() => {
            body.get(half);
            body.simd(simd.extractF64, lane);
          }, true);
        }
      }
    },
  };
}

function vectorPosition(body: FunctionBody, reduction: StageReduction, dtype: DType): VectorAccumulator {
  const [best, value, at, better] = [V128, V128, V128, V128].map((type) =>
    body.local(type as typeof V128),
  ) as [number, number, number, number];
  const position = body.local(I32);
  const greater = reduction === "argmax";
  return {
    begin() {
      const start = identity(reduction, dtype);
      body.constantVector(typeOf(dtype), dtype === "bool" ? -start : start);
      body.set(best);
      body.constantVector(I32, 0);
      body.set(at);
      body.i32(0);
      body.set(position);
    },
    combine(push) {
      push();
      body.tee(value);
      body.get(best);
      body.simd(instructionOf(greater ? "gt" : "lt", dtype)?.[1] as number);
      if (dtype === "f32") {
        body.get(value);
        body.get(value);
        body.simd(simd.neF32);
        body.get(best);
        body.get(best);
        body.simd(simd.eqF32);
        body.simd(simd.and);
        body.simd(simd.or);
      }
      body.set(better);
      body.get(value);
      body.get(best);
      body.get(better);
      body.simd(simd.bitSelect);
      body.set(best);
      body.get(position);
      body.simd(simd.splatI32);
      body.get(at);
      body.get(better);
      body.simd(simd.bitSelect);
      body.set(at);
      body.advance(position, 1);
    },
    finish() {
      body.get(at);
    },
  };
}
