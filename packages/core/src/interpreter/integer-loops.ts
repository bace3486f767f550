import type { BinaryLoop, TernaryLoop } from "./float-loops.js";

/*
 * The counterpart of `float-loops.ts` for i32 and bool operands: index arithmetic, masks and random bits. Separate code,
 * not only for the wrapping: a loop that meets one kind of array is compiled for that kind.
 */

export const integerBinary: Readonly<Record<string, BinaryLoop>> = {
  add: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = ((a[i * sa] as number) + (b[i * sb] as number)) | 0;
  },
  sub: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = ((a[i * sa] as number) - (b[i * sb] as number)) | 0;
  },
  mul: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.imul(a[i * sa] as number, b[i * sb] as number);
  },
  idiv: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) {
      const divisor = b[i * sb] as number;
      out[i] = divisor === 0 ? 0 : ((a[i * sa] as number) / divisor) | 0;
    }
  },
  imod: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) {
      const divisor = b[i * sb] as number;
      out[i] = divisor === 0 ? 0 : (a[i * sa] as number) % divisor;
    }
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
  logicalAnd: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) & (b[i * sb] as number);
  },
  logicalOr: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) | (b[i * sb] as number);
  },
  bitAnd: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) & (b[i * sb] as number);
  },
  bitOr: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) | (b[i * sb] as number);
  },
  bitXor: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) ^ (b[i * sb] as number);
  },
  shiftLeft: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) << (b[i * sb] as number);
  },
  shiftRightLogical: (out, a, sa, b, sb, n) => {
    for (let i = 0; i < n; i++) out[i] = (a[i * sa] as number) >>> (b[i * sb] as number);
  },
};

export const integerTernary: Readonly<Record<string, TernaryLoop>> = {
  where: (out, a, sa, b, sb, c, sc, n) => {
    for (let i = 0; i < n; i++) out[i] = a[i * sa] !== 0 ? (b[i * sb] as number) : (c[i * sc] as number);
  },
};
