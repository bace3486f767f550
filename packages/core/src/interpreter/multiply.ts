/*
 * The inner product kernel of contractions: `c[m][n] += sum over k of a[m][k] * b[n][k]` on dense row-major panels.
 */

/**
 * In float64. Blocks of 2 x 4 sums stay in registers, so that six loads serve eight multiplications.
 */
export function multiplyFloats(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  m: number,
  n: number,
  k: number,
): void {
  let i = 0;
  for (; i + 2 <= m; i += 2) {
    let j = 0;
    for (; j + 4 <= n; j += 4) block2x4(c, a, b, i, j, n, k);
    for (; j < n; j++) {
      dot(c, a, b, i, j, n, k);
      dot(c, a, b, i + 1, j, n, k);
    }
  }
  if (i < m) {
    let j = 0;
    for (; j + 4 <= n; j += 4) block1x4(c, a, b, i, j, n, k);
    for (; j < n; j++) dot(c, a, b, i, j, n, k);
  }
}

function block2x4(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  i: number,
  j: number,
  n: number,
  k: number,
): void {
  const a0 = i * k;
  const a1 = a0 + k;
  const b0 = j * k;
  const b1 = b0 + k;
  const b2 = b1 + k;
  const b3 = b2 + k;
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let p = 0; p < k; p++) {
    const x0 = a[a0 + p] as number;
    const x1 = a[a1 + p] as number;
    const y0 = b[b0 + p] as number;
    const y1 = b[b1 + p] as number;
    const y2 = b[b2 + p] as number;
    const y3 = b[b3 + p] as number;
    s00 += x0 * y0;
    s01 += x0 * y1;
    s02 += x0 * y2;
    s03 += x0 * y3;
    s10 += x1 * y0;
    s11 += x1 * y1;
    s12 += x1 * y2;
    s13 += x1 * y3;
  }
  const c0 = i * n + j;
  const c1 = c0 + n;
  c[c0] = (c[c0] as number) + s00;
  c[c0 + 1] = (c[c0 + 1] as number) + s01;
  c[c0 + 2] = (c[c0 + 2] as number) + s02;
  c[c0 + 3] = (c[c0 + 3] as number) + s03;
  c[c1] = (c[c1] as number) + s10;
  c[c1 + 1] = (c[c1 + 1] as number) + s11;
  c[c1 + 2] = (c[c1 + 2] as number) + s12;
  c[c1 + 3] = (c[c1 + 3] as number) + s13;
}

function block1x4(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  i: number,
  j: number,
  n: number,
  k: number,
): void {
  const a0 = i * k;
  const b0 = j * k;
  const b1 = b0 + k;
  const b2 = b1 + k;
  const b3 = b2 + k;
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let p = 0; p < k; p++) {
    const x = a[a0 + p] as number;
    s0 += x * (b[b0 + p] as number);
    s1 += x * (b[b1 + p] as number);
    s2 += x * (b[b2 + p] as number);
    s3 += x * (b[b3 + p] as number);
  }
  const at = i * n + j;
  c[at] = (c[at] as number) + s0;
  c[at + 1] = (c[at + 1] as number) + s1;
  c[at + 2] = (c[at + 2] as number) + s2;
  c[at + 3] = (c[at + 3] as number) + s3;
}

function dot(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  i: number,
  j: number,
  n: number,
  k: number,
): void {
  const a0 = i * k;
  const b0 = j * k;
  let sum = 0;
  for (let p = 0; p < k; p++) sum += (a[a0 + p] as number) * (b[b0 + p] as number);
  c[i * n + j] = (c[i * n + j] as number) + sum;
}

/** In i32, wrapping. */
export function multiplyIntegers(
  c: Int32Array,
  a: Int32Array,
  b: Int32Array,
  m: number,
  n: number,
  k: number,
): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = c[i * n + j] as number;
      for (let p = 0; p < k; p++) sum = (sum + Math.imul(a[i * k + p] as number, b[j * k + p] as number)) | 0;
      c[i * n + j] = sum;
    }
  }
}
