import type { DType } from "@gradus/core";
import { I32, unsigned, V128, type WasmFunction } from "../wasm/encode.js";
import { FunctionBody, simd } from "../wasm/function-body.js";
import { hasFusedMultiply } from "./fused-multiply.js";
import { instructionOf, typeOf } from "./instructions.js";
import { type Local, Words } from "./words.js";

/**
 * Addresses of a, b and c; how many products to sum; strides in bytes of a (steps), b (steps, or where offsets of them
 * are), c (rows); whether c is new.
 */
const SIGNATURE = { takes: new Array<typeof I32>(8).fill(I32), gives: [] } as const;

type Eight<T> = [T, T, T, T, T, T, T, T];

/** Vectors of a tile's row. */
export const TILE_VECTORS = 2;
/** The same of a tile of one row. */
export const ROW_VECTORS = 8;

/**
 * Rows of a tile: as many as the sums fit the sixteen registers of x86-64 beside two vectors of b, one element of a and,
 * without fused multiplication, a product. Measured; steps along k are not unrolled, since the compilers of today then load
 * too early and run out of registers.
 */
export function tileRows(dtype: DType): number {
  return dtype !== "i32" && hasFusedMultiply() ? 6 : 4;
}

const known = new Map<string, WasmFunction>();

/**
 * `c (+)= a b` for a tile of `rows` rows and `vectors` vectors. Rows of b and c are dense, and so are columns of a. An
 * element is summed in the order of k.
 *
 * @param slides whether rows of b are at offsets from a table.
 */
export function tileFunction(dtype: DType, rows: number, vectors: number, slides: boolean): WasmFunction {
  const key = `${dtype} ${rows} ${vectors} ${slides}`;
  let made = known.get(key);
  if (made === undefined) {
    made = build(dtype, rows, vectors, slides);
    known.set(key, made);
  }
  return made;
}

function build(dtype: DType, rows: number, vectors: number, slides: boolean): WasmFunction {
  const body = new FunctionBody(SIGNATURE);
  const words = new Words(body);
  const [a, b, c, count, aStep, bStep, cRow, isNew] = words.parameters(8) as Eight<Local>;
  const vector = (): number => body.local(V128);
  const sums = Array.from({ length: rows }, () => Array.from({ length: vectors }, vector));
  const rights = Array.from({ length: vectors }, vector);
  const left = vector();
  const isWide = dtype === "f64";
  const bytes = isWide ? 8 : 4;
  const bAt = slides ? words.local() : b;
  const [add, multiply] = ["add", "mul"].map((name) => instructionOf(name, dtype)?.[1]) as [number, number];
  const fused = dtype !== "i32" && hasFusedMultiply();

  const target = words.let(c);
  const eachSum = (inner: (sum: number, offset: number) => void): void => {
    words.set(target, c);
    sums.forEach((row, r) => {
      if (r > 0) words.advance(target, cRow);
      row.forEach((sum, v) => {
        inner(sum, 16 * v);
      });
    });
  };
  words.when(
    isNew,
    () => {
      for (const sum of sums.flat()) {
        body.constantVector(typeOf(dtype), 0);
        body.set(sum);
      }
    },
    () =>
      eachSum((sum, offset) => {
        words.push(target);
        body.simd(simd.load, 2, ...unsigned(offset));
        body.set(sum);
      }),
  );
  const end = slides ? words.let(words.add(bStep, words.mul(count, 4))) : undefined;
  words.when(count, () =>
    words.repeat(
      () => {
        if (slides) {
          words.set(bAt, words.add(b, words.at(bStep, 0)));
          words.advance(bStep, 4);
        }
        rights.forEach((right, v) => {
          words.push(bAt);
          body.simd(simd.load, 2, ...unsigned(16 * v));
          body.set(right);
        });
        if (!slides) words.advance(b, bStep);
        sums.forEach((row, r) => {
          words.push(a);
          body.simd(isWide ? simd.load64Splat : simd.load32Splat, 2, ...unsigned(bytes * r));
          body.set(left);
          row.forEach((sum, v) => {
            if (!fused) body.get(sum);
            body.get(left);
            body.get(rights[v] as number);
            if (fused) {
              body.get(sum);
              body.simd(isWide ? simd.fusedF64 : simd.fusedF32);
            } else {
              body.simd(multiply);
              body.simd(add);
            }
            body.set(sum);
          });
        });
        words.advance(a, aStep);
        if (!slides) words.advance(count, -1);
      },
      end === undefined ? count : words.isNot(bStep, end),
    ),
  );
  eachSum((sum, offset) => {
    words.push(target);
    body.get(sum);
    body.simd(simd.store, 2, ...unsigned(offset));
  });
  return body.finish();
}
