import type { DType } from "@gradus/core";
import { F64, V128 } from "../wasm/encode.js";
import { type FunctionBody, simd } from "../wasm/function-body.js";
import type { Lanes } from "./expressions.js";
import { type Accumulator, pushLane, UPPER_HALF } from "./reduction.js";

/** As long as all products of a lane stay within this and its reciprocal, four lanes together neither overflow nor lose bits. */
const BOUND = 2 ** 250;

/** A product of floats lane by lane, as f64. */
export interface ProductOfLanes {
  begin(): void;
  combine(push: () => void): void;
  /** Pushes whether it may be folded. Else it must be computed in order: a lane may overflow where the whole does not. */
  pushIsSafe(): void;
  fold(total: Accumulator): void;
}

export function productOfLanes(body: FunctionBody, dtype: DType, lanes: Lanes): ProductOfLanes {
  const local = (): number => body.local(V128);
  const [value, size, least, most] = [local(), local(), local(), local()];
  const products = lanes === 4 ? [local(), local()] : [local()];
  const isWithin = (local: number, comparison: number, bound: number): void => {
    body.get(local);
    body.constantVector(F64, bound);
    body.simd(comparison);
  };
  return {
    begin() {
      for (const local of [...products, least, most]) {
        body.constantVector(F64, 1);
        body.set(local);
      }
    },
    combine(push) {
      push();
      body.set(value);
      products.forEach((product, i) => {
        body.get(value);
        if (i === 1) {
          body.get(value);
          body.simd(simd.shuffle, ...UPPER_HALF);
        }
        if (dtype === "f32") body.simd(simd.promoteLow);
        body.get(product);
        body.simd(simd.mulF64);
        body.tee(product);
        body.simd(simd.absF64);
        body.set(size);
        for (const [local, instruction] of [
          [least, simd.lesserF64],
          [most, simd.greaterF64],
        ] as const) {
          body.get(local);
          body.get(size);
          body.simd(instruction);
          body.set(local);
        }
      });
    },
    pushIsSafe() {
      isWithin(least, simd.geF64, 1 / BOUND);
      isWithin(most, simd.leF64, BOUND);
      body.simd(simd.and);
      // NaN, which the least and the most ignore.
      for (const product of products) {
        isWithin(product, simd.leF64, BOUND);
        body.simd(simd.and);
      }
      body.simd(simd.allTrueI64);
    },
    fold(total) {
      for (const product of products) {
        for (const lane of [0, 1]) total.combine(() => pushLane(body, "f64", product, lane), true);
      }
    },
  };
}
