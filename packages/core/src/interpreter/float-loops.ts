import type { TypedArray } from "../dtype.js";

/*
 * The loops of the ops that training spends its time on, written out so that the engine compiles each to a tight loop.
 * Operand element i is `a[i * sa]`; sa is 0 or 1. All other ops go through the generic loops of `op-loops.ts`.
 */

export type UnaryLoop = (out: TypedArray, a: TypedArray, sa: number, n: number) => void;
export type BinaryLoop = (
  out: TypedArray,
  a: TypedArray,
  sa: number,
  b: TypedArray,
  sb: number,
  n: number,
) => void;
export type TernaryLoop = (
  out: TypedArray,
  a: TypedArray,
  sa: number,
  b: TypedArray,
  sb: number,
  c: TypedArray,
  sc: number,
  n: number,
) => void;

export const floatUnary: Readonly<Record<string, UnaryLoop>> = {
  neg: (out, a, sa, n) => {
    for (let i = 0; i < n; i++) out[i] = -(a[i * sa] as number);
  },
  square: (out, a, sa, n) => {
    for (let i = 0; i < n; i++) {
      const x = a[i * sa] as number;
      out[i] = x * x;
    }
  },
  reciprocal: (out, a, sa, n) => {
    for (let i = 0; i < n; i++) out[i] = 1 / (a[i * sa] as number);
  },
  sqrt: (out, a, sa, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.sqrt(a[i * sa] as number);
  },
  exp: (out, a, sa, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.exp(a[i * sa] as number);
  },
  log: (out, a, sa, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.log(a[i * sa] as number);
  },
  relu: (out, a, sa, n) => {
    // Math.max, so that NaN stays NaN.
    for (let i = 0; i < n; i++) out[i] = Math.max(a[i * sa] as number, 0);
  },
};

export const floatBinary: Readonly<Record<string, BinaryLoop>> = {
  add: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) + (b[i * sb] as number);
  },
  sub: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) - (b[i * sb] as number);
  },
  mul: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) * (b[i * sb] as number);
  },
  div: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) / (b[i * sb] as number);
  },
  maximum: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.max(a[i * sa] as number, b[i * sb] as number);
  },
  minimum: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.min(a[i * sa] as number, b[i * sb] as number);
  },
  eq: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = a[i * sa] === b[i * sb] ? 1 : 0;
  },
  lt: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) < (b[i * sb] as number) ? 1 : 0;
  },
  le: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) <= (b[i * sb] as number) ? 1 : 0;
  },
  gt: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) > (b[i * sb] as number) ? 1 : 0;
  },
  ge: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) >= (b[i * sb] as number) ? 1 : 0;
  },
};

export const floatTernary: Readonly<Record<string, TernaryLoop>> = {
  where: (out, a, sa, b, sb, c, sc, n) => {
    for (let i = 0; i < n; i++) out[i] = a[i * sa] !== 0 ? (b[i * sb] as number) : (c[i * sc] as number);
  },
};
