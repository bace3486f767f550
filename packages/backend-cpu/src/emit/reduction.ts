import type { DType, StageReduction } from "@gradus/core";
import { F32, F64, I32, V128, type ValueType } from "../wasm/encode.js";
import { type FunctionBody, op, simd } from "../wasm/function-body.js";
import type { Lanes } from "./expressions.js";
import { instructionOf, typeOf } from "./instructions.js";

/** Combines values into one, or vectors into one in each lane. */
export interface Accumulator {
  begin(): void;
  /** Combines with what `push` pushes: a value of the dtype, or of f64 if `isWide`. */
  combine(push: () => void, isWide?: boolean): void;
  /** Pushes the result. */
  finish(): void;
}

/** How many sums a long run is split to: an addition need not wait for the one before. */
export const PARTIALS = 4;

/**
 * Combines a part of a long run in several accumulators, in turns, and then what they hold with the rest. Sums of f32 are
 * f32 here, which is why the parts are bounded.
 */
export interface PartialAccumulators {
  begin(): void;
  combine(push: () => void, which: number): void;
  end(): void;
}

export interface VectorAccumulator extends Accumulator {
  readonly partials?: PartialAccumulators;
  /** Combines the lanes into `total`. */
  fold(total: Accumulator): void;
}

export function isPosition(reduction: StageReduction): boolean {
  return reduction === "argmax" || reduction === "argmin";
}

/** What changes nothing when it is combined. */
export function identity(reduction: StageReduction, dtype: DType): number {
  if (reduction === "sum") return 0;
  if (reduction === "prod") return 1;
  const least = reduction === "max" || reduction === "argmax";
  if (dtype === "bool") return least ? 0 : 1;
  if (dtype === "i32") return least ? -2147483648 : 2147483647;
  return least ? -Infinity : Infinity;
}

const isSumLike = (reduction: StageReduction): boolean => reduction === "sum" || reduction === "prod";

/** Combines number by number. Sums and products of floats are f64, as the interpreter's. */
export function numberAccumulator(
  body: FunctionBody,
  reduction: StageReduction,
  dtype: DType,
  pushPosition: () => void,
): Accumulator {
  const wide = isSumLike(reduction) && dtype === "f32";
  const type = wide ? F64 : typeOf(dtype);
  const total = body.local(type);
  if (isPosition(reduction)) return new NumberPosition(body, reduction, dtype, pushPosition);
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

/** The position of the first extreme value, or of the first NaN. */
export class NumberPosition implements Accumulator {
  private readonly best: number;
  private readonly value: number;
  private readonly at: number;
  private readonly position: number;

  constructor(
    private readonly body: FunctionBody,
    private readonly reduction: StageReduction,
    private readonly dtype: DType,
    private readonly pushPosition: () => void,
  ) {
    const type = typeOf(dtype);
    [this.best, this.value] = [body.local(type), body.local(type)];
    [this.at, this.position] = [body.local(I32), body.local(I32)];
  }

  begin(): void {
    const { body, reduction, dtype } = this;
    body.constant(typeOf(dtype), identity(reduction, dtype));
    body.set(this.best);
    body.i32(0);
    body.set(this.at);
  }

  combine(push: () => void): void {
    const { body } = this;
    push();
    body.set(this.value);
    this.pushPosition();
    body.set(this.position);
    this.pushIsBetter();
    body.when(() => this.take(() => body.get(this.position)));
  }

  /** Combines a value with one of any position. Where none was combined, what `push` gives is taken. */
  combineAt(push: () => void, pushPosition: () => void): void {
    const { body, dtype } = this;
    const position = body.local(I32);
    pushPosition();
    body.set(position);
    push();
    body.set(this.value);
    this.pushIsBetter();
    // Equal, or both NaN, and before.
    body.get(this.value);
    body.get(this.best);
    body.put(instructionOf("eq", dtype)?.[0] as number);
    if (typeOf(dtype) !== I32) {
      this.pushIsNaN(this.value);
      this.pushIsNaN(this.best);
      body.put(op.i32And, op.i32Or);
    }
    body.get(position);
    body.get(this.at);
    body.put(op.i32Lt, op.i32And, op.i32Or);
    body.when(() => this.take(() => body.get(position)));
  }

  finish(): void {
    this.body.get(this.at);
  }

  private take(pushPosition: () => void): void {
    const { body } = this;
    body.get(this.value);
    body.set(this.best);
    pushPosition();
    body.set(this.at);
  }

  private pushIsBetter(): void {
    const { body, dtype } = this;
    body.get(this.value);
    body.get(this.best);
    body.put(instructionOf(this.reduction === "argmax" ? "gt" : "lt", dtype)?.[0] as number);
    if (typeOf(dtype) === I32) return;
    // The first NaN, after which nothing is better.
    this.pushIsNaN(this.value);
    this.pushIsNaN(this.best);
    body.put(op.i32Eqz, op.i32And, op.i32Or);
  }

  private pushIsNaN(local: number): void {
    const { body, dtype } = this;
    body.get(local);
    body.get(local);
    body.put(instructionOf("ne", dtype)?.[0] as number);
  }
}

/**
 * Combines vectors, lane by lane. The result has lanes of `dtype` (of i32, for positions).
 *
 * @param pushPosition pushes the positions of the lanes among what is combined, for the position of an extreme.
 */
export function vectorAccumulator(
  body: FunctionBody,
  reduction: StageReduction,
  dtype: DType,
  lanes: Lanes,
  pushPosition: () => void,
): VectorAccumulator {
  if (isPosition(reduction)) return vectorPosition(body, reduction, dtype, lanes, pushPosition);
  if (isSumLike(reduction) && dtype === "f32") return wideAccumulator(body, reduction, lanes);
  const total = body.local(V128);
  const of = (f32: number, f64: number, i32: number, bool: number): number =>
    ({ f32, f64, i32, bool })[dtype as Exclude<DType, "f16">];
  const instruction = {
    sum: of(simd.addF32, simd.addF64, simd.addI32, simd.addI32),
    prod: of(simd.mulF32, simd.mulF64, simd.mulI32, simd.mulI32),
    max: of(simd.maxF32, simd.maxF64, simd.maxI32, simd.or),
    min: of(simd.minF32, simd.minF64, simd.minI32, simd.and),
  }[reduction as "sum"];
  const combine = (push: () => void): void => {
    body.get(total);
    push();
    body.simd(instruction);
    body.set(total);
  };
  const isExtreme = (reduction === "max" || reduction === "min") && (dtype === "f32" || dtype === "f64");
  return {
    begin() {
      const start = identity(reduction, dtype);
      body.constantVector(typeOf(dtype), dtype === "bool" ? -start : start);
      body.set(total);
    },
    combine,
    partials: isExtreme
      ? extremePartials(body, reduction, dtype, combine)
      : plainPartials(body, instruction, typeOf(dtype), identity(reduction, dtype), combine),
    finish() {
      body.get(total);
    },
    fold(into) {
      for (let lane = 0; lane < lanes; lane++) into.combine(() => pushLane(body, dtype, total, lane));
    },
  };
}

function plainPartials(
  body: FunctionBody,
  instruction: number,
  type: ValueType,
  start: number,
  combine: (push: () => void) => void,
): PartialAccumulators {
  const locals = Array.from({ length: PARTIALS }, () => body.local(V128));
  return {
    begin() {
      for (const local of locals) {
        body.constantVector(type, start);
        body.set(local);
      }
    },
    combine(push, which) {
      const local = locals[which] as number;
      body.get(local);
      push();
      body.simd(instruction);
      body.set(local);
    },
    end() {
      combine(() => pushTree(body, locals, instruction));
    },
  };
}

/** The greatest or least by an instruction that ignores NaN, which is looked for beside it: cheaper than one that does both. */
function extremePartials(
  body: FunctionBody,
  reduction: StageReduction,
  dtype: DType,
  combine: (push: () => void) => void,
): PartialAccumulators {
  const locals = Array.from({ length: PARTIALS }, () => body.local(V128));
  const [value, undefinedLanes] = [body.local(V128), body.local(V128)];
  const isWide = dtype === "f64";
  const better = reduction === "max" ? [simd.greaterF32, simd.greaterF64] : [simd.lesserF32, simd.lesserF64];
  const careful = reduction === "max" ? [simd.maxF32, simd.maxF64] : [simd.minF32, simd.minF64];
  const of = (pair: readonly number[]): number => pair[isWide ? 1 : 0] as number;
  return {
    begin() {
      for (const local of locals) {
        body.constantVector(typeOf(dtype), identity(reduction, dtype));
        body.set(local);
      }
      body.constantVector(I32, 0);
      body.set(undefinedLanes);
    },
    combine(push, which) {
      const local = locals[which] as number;
      push();
      body.set(value);
      // The first operand stays where the second is NaN.
      body.get(local);
      body.get(value);
      body.simd(of(better));
      body.set(local);
      body.get(value);
      body.get(value);
      body.simd(isWide ? simd.neF64 : simd.neF32);
      body.get(undefinedLanes);
      body.simd(simd.or);
      body.set(undefinedLanes);
    },
    end() {
      combine(() => {
        pushTree(body, locals, of(careful));
        // All ones are NaN.
        body.get(undefinedLanes);
        body.simd(simd.or);
      });
    },
  };
}

function pushTree(body: FunctionBody, locals: readonly number[], instruction: number): void {
  const [a, b, c, d] = locals as [number, number, number, number];
  for (const [x, y] of [
    [a, b],
    [c, d],
  ] as const) {
    body.get(x);
    body.get(y);
    body.simd(instruction);
  }
  body.simd(instruction);
}

/** Pushes one lane of a vector in a local. */
export function pushLane(body: FunctionBody, dtype: DType, vector: number, lane: number): void {
  body.get(vector);
  body.simd(dtype === "f32" ? simd.extractF32 : dtype === "f64" ? simd.extractF64 : simd.extractI32, lane);
  if (dtype === "bool") {
    body.i32(1);
    body.put(op.i32And);
  }
}

/** The upper half of a vector, before a lower one. */
export const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

/** The lower halves of two vectors. */
export const LOWER_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/** Lanes of f32 in vectors of f64. */
function wideAccumulator(body: FunctionBody, reduction: StageReduction, lanes: Lanes): VectorAccumulator {
  const value = body.local(V128);
  const halves = lanes === 4 ? [body.local(V128), body.local(V128)] : [body.local(V128)];
  const instruction = reduction === "sum" ? simd.addF64 : simd.mulF64;
  const combine = (push: () => void): void => {
    push();
    body.set(value);
    halves.forEach((half, i) => {
      body.get(value);
      if (i === 1) {
        body.get(value);
        body.simd(simd.shuffle, ...UPPER_HALF);
      }
      body.simd(simd.promoteLow);
      body.get(half);
      body.simd(instruction);
      body.set(half);
    });
  };
  return {
    ...(reduction === "sum" && { partials: plainPartials(body, simd.addF32, F32, 0, combine) }),
    combine,
    begin() {
      for (const half of halves) {
        body.constantVector(F64, identity(reduction, "f64"));
        body.set(half);
      }
    },
    finish() {
      for (const half of halves) {
        body.get(half);
        body.simd(simd.demote);
      }
      if (lanes === 4) {
        body.simd(simd.shuffle, ...LOWER_HALVES);
      }
    },
    fold(total) {
      for (const half of halves) {
        for (const lane of [0, 1]) total.combine(() => pushLane(body, "f64", half, lane), true);
      }
    },
  };
}

function vectorPosition(
  body: FunctionBody,
  reduction: StageReduction,
  dtype: DType,
  lanes: Lanes,
  pushPosition: () => void,
): VectorAccumulator {
  const [best, value, at, better] = [V128, V128, V128, V128].map((type) =>
    body.local(type as typeof V128),
  ) as [number, number, number, number];
  const isFloat = dtype === "f32" || dtype === "f64";
  const [ne, eq] = dtype === "f64" ? [simd.neF64, simd.eqF64] : [simd.neF32, simd.eqF32];
  return {
    begin() {
      const start = identity(reduction, dtype);
      body.constantVector(typeOf(dtype), dtype === "bool" ? -start : start);
      body.set(best);
      body.constantVector(I32, 0);
      body.set(at);
    },
    combine(push) {
      push();
      body.tee(value);
      body.get(best);
      body.simd(instructionOf(reduction === "argmax" ? "gt" : "lt", dtype)?.[1] as number);
      if (isFloat) {
        body.get(value);
        body.get(value);
        body.simd(ne);
        body.get(best);
        body.get(best);
        body.simd(eq);
        body.simd(simd.and);
        body.simd(simd.or);
      }
      body.set(better);
      body.get(value);
      body.get(best);
      body.get(better);
      body.simd(simd.bitSelect);
      body.set(best);
      pushPosition();
      body.get(at);
      body.get(better);
      if (dtype === "f64") {
        body.get(better);
        body.simd(simd.shuffle, ...[0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
      }
      body.simd(simd.bitSelect);
      body.set(at);
    },
    finish() {
      body.get(at);
    },
    fold(total) {
      for (let lane = 0; lane < lanes; lane++) {
        const push = (): void => pushLane(body, dtype, best, lane);
        (total as NumberPosition).combineAt(push, () => pushLane(body, "i32", at, lane));
      }
    },
  };
}
