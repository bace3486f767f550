import type { TypedArray } from "../dtype.js";
import type { HostFunction } from "../ir/kernel.js";
import { factorize } from "./lu.js";
import { decompose } from "./svd.js";

/** A `host` native: sizes = [batch, n]; input: square matrices; output: their determinants. Computed in float64. */
export const hostDet: HostFunction = (buffers, sizes) => {
  const [source, out] = buffers as [TypedArray, TypedArray];
  const [batch, n] = sizes as [number, number];
  for (let b = 0; b < batch; b++) {
    const { lu, parity } = factorize(source, n, b * n * n);
    let product = parity;
    for (let i = 0; i < n; i++) product *= lu[i * n + i] as number;
    out[b] = product;
  }
  return undefined;
};

/**
 * A `host` native: sizes = [batch, n]; input: square matrices; outputs: the signs of their determinants (0 where singular),
 * and the logarithms of the determinants' absolute values. Computed in float64.
 */
export const hostSlogdet: HostFunction = (buffers, sizes) => {
  const [source, signs, logs] = buffers as [TypedArray, TypedArray, TypedArray];
  const [batch, n] = sizes as [number, number];
  for (let b = 0; b < batch; b++) {
    const { lu, parity } = factorize(source, n, b * n * n);
    let [sign, log] = [parity, 0];
    for (let i = 0; i < n; i++) {
      sign *= Math.sign(lu[i * n + i] as number);
      log += Math.log(Math.abs(lu[i * n + i] as number));
    }
    signs[b] = sign;
    logs[b] = log;
  }
  return undefined;
};

/**
 * A `host` native: sizes = [batch, n]; input: square matrices; output: their cofactors, the determinant's derivative, also
 * where it is 0: `det(U) det(V) U diag(product of the other singular values) V^T`. Computed in float64.
 */
export const hostCofactor: HostFunction = (buffers, sizes) => {
  const [source, out] = buffers as [TypedArray, TypedArray];
  const [batch, n] = sizes as [number, number];
  for (let b = 0; b < batch; b++) {
    const { u, s, v } = decompose(source, n, n, b * n * n);
    const sign = orientation(u, n) * orientation(v, n);
    const others = Float64Array.from(s, (_, i) => {
      let product = sign;
      for (let j = 0; j < n; j++) if (j !== i) product *= s[j] as number;
      return product;
    });
    // u and v hold a singular vector in each row.
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++)
          sum += (u[k * n + i] as number) * (others[k] as number) * (v[k * n + j] as number);
        out[b * n * n + i * n + j] = sum;
      }
    }
  }
  return undefined;
};

/** The determinant of an orthogonal matrix: 1 or -1. */
function orientation(matrix: Float64Array, n: number): number {
  const { lu, parity } = factorize(matrix, n);
  let sign = parity;
  for (let i = 0; i < n; i++) sign *= Math.sign(lu[i * n + i] as number);
  return sign;
}
