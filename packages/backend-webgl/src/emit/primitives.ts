/*
 * What functions are made of, in GLSL and in JavaScript, which gpu.js runs where there is no card. GLSL promises neither NaN nor
 * infinity: numbers are recognised by their bits, which no compiler folds.
 */

export interface Primitive {
  readonly glsl: string;
  readonly js: string;
}

export const primitives: Readonly<Record<string, Primitive>> = {
  /**
   * An element. Where it is in a texture, by floats: processors that emulate cards divide integers one by one. The quotient
   * may be one off.
   */
  cell: {
    glsl: `float cell(sampler2D cells, ivec2 size, ivec3 unused, float at) {
  float width = float(size.x);
  float row = floor((at + 0.5) / width);
  float column = at - row * width;
  float off = step(width, column) - step(0.5, -column);
  return texelFetch(cells, ivec2(int(column - off * width), int(row + off)), 0).r;
}`,
    js: `function cell(cells, at) { return cells[at]; }`,
  },
  /** A number of the four at `at`. */
  cell_of_four: {
    glsl: `float cell_of_four(sampler2D cells, ivec2 size, ivec3 unused, float at, float which) {
  float width = float(size.x);
  float row = quotient(at, width);
  vec4 found = texelFetch(cells, ivec2(int(at - row * width), int(row)), 0);
  return found[int(which)];
}`,
    js: `function cell_of_four(cells, at, which) { return cells[at][which]; }`,
  },
  /**
   * The products of four lines of a with four lines of b, of `count` fours each: the first row of them, and the others one by one. A
   * line begins at its x and y.
   */
  block_product: {
    glsl: `vec4 block_rows[4];
vec4 block_product(
  sampler2D a, ivec2 a_size, ivec3 a_unused, sampler2D b, ivec2 b_size, ivec3 b_unused,
  float ax0, float ay0, float ax1, float ay1, float ax2, float ay2, float ax3, float ay3,
  float bx0, float by0, float bx1, float by1, float bx2, float by2, float bx3, float by3, float count
) {
  ivec2 a0 = ivec2(int(ax0), int(ay0));
  ivec2 a1 = ivec2(int(ax1), int(ay1));
  ivec2 a2 = ivec2(int(ax2), int(ay2));
  ivec2 a3 = ivec2(int(ax3), int(ay3));
  ivec2 b0 = ivec2(int(bx0), int(by0));
  ivec2 b1 = ivec2(int(bx1), int(by1));
  ivec2 b2 = ivec2(int(bx2), int(by2));
  ivec2 b3 = ivec2(int(bx3), int(by3));
  vec4 s0 = vec4(0.0);
  vec4 s1 = vec4(0.0);
  vec4 s2 = vec4(0.0);
  vec4 s3 = vec4(0.0);
  ivec2 next = ivec2(1, 0);
  for (int k = 0; k < int(count); k++) {
    vec4 p = texelFetch(b, b0, 0);
    vec4 q = texelFetch(b, b1, 0);
    vec4 r = texelFetch(b, b2, 0);
    vec4 s = texelFetch(b, b3, 0);
    vec4 t = texelFetch(a, a0, 0);
    s0 += vec4(dot(t, p), dot(t, q), dot(t, r), dot(t, s));
    t = texelFetch(a, a1, 0);
    s1 += vec4(dot(t, p), dot(t, q), dot(t, r), dot(t, s));
    t = texelFetch(a, a2, 0);
    s2 += vec4(dot(t, p), dot(t, q), dot(t, r), dot(t, s));
    t = texelFetch(a, a3, 0);
    s3 += vec4(dot(t, p), dot(t, q), dot(t, r), dot(t, s));
    a0 += next;
    a1 += next;
    a2 += next;
    a3 += next;
    b0 += next;
    b1 += next;
    b2 += next;
    b3 += next;
  }
  block_rows[0] = s0;
  block_rows[1] = s1;
  block_rows[2] = s2;
  block_rows[3] = s3;
  return s0;
}`,
    js: `let block_rows = [];
function block_product(a, b, ...places) {
  const count = places[16];
  const line = (cells, k) => {
    const [x, y] = [places[2 * k], places[2 * k + 1]];
    // There may be fewer than four lines.
    return cells[y] === undefined || x >= cells[y].length ? undefined : cells[y].slice(x, x + count);
  };
  const lines = [4, 5, 6, 7].map((k) => line(b, k));
  block_rows = [0, 1, 2, 3].map((k) => {
    const own = line(a, k);
    return lines.map((other) => {
      let sum = 0;
      if (own === undefined || other === undefined) return sum;
      for (let i = 0; i < count; i++) {
        const [f, g] = [own[i], other[i]];
        sum += f[0] * g[0] + f[1] * g[1] + f[2] * g[2] + f[3] * g[3];
      }
      return sum;
    });
  });
  return block_rows[0];
}`,
  },
  block_row: {
    glsl: `vec4 block_row(float row) { return block_rows[int(row)]; }`,
    js: `function block_row(row) { return block_rows[row]; }`,
  },
  /** The sum of some fours that follow one another, of those that hold the blocks' rows. */
  sum_of_row: {
    glsl: `vec4 sum_of_row(
  sampler2D r0, ivec2 size, ivec3 unused, sampler2D r1, ivec2 s1, ivec3 u1, sampler2D r2, ivec2 s2, ivec3 u2,
  sampler2D r3, ivec2 s3, ivec3 u3, float which, float first, float count
) {
  vec4 sum = vec4(0.0);
  int row = int(quotient(first, float(size.x)));
  ivec2 at = ivec2(int(first) - row * size.x, row);
  for (int k = 0; k < int(count); k++) {
    vec4 found = which == 0.0 ? texelFetch(r0, at, 0)
      : which == 1.0 ? texelFetch(r1, at, 0) : which == 2.0 ? texelFetch(r2, at, 0) : texelFetch(r3, at, 0);
    sum += found;
    at.x += 1;
    if (at.x == size.x) { at = ivec2(0, at.y + 1); }
  }
  return sum;
}`,
    js: `function sum_of_row(r0, r1, r2, r3, which, first, count) {
  const [cells, sum] = [[r0, r1, r2, r3][which], [0, 0, 0, 0]];
  for (let k = 0; k < count; k++) for (let c = 0; c < 4; c++) sum[c] += cells[first + k][c];
  return sum;
}`,
  },
  /** Four numbers, and those at `at` added. */
  plus_four: {
    glsl: `vec4 plus_four(vec4 four, sampler2D cells, ivec2 size, ivec3 unused, float at) {
  float width = float(size.x);
  float row = quotient(at, width);
  return four + texelFetch(cells, ivec2(int(at - row * width), int(row)), 0);
}`,
    js: `function plus_four(four, cells, at) { return four.map((x, k) => x + cells[at][k]); }`,
  },
  /** A number as a float holds it. JavaScript computes with more digits, which equals would not survive. */
  round_f: {
    glsl: `float round_f(float x) { return x; }`,
    js: `function round_f(x) { return Math.fround(x); }`,
  },
  is_nan: {
    glsl: `bool is_nan(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }`,
    js: `function is_nan(x) { return x !== x; }`,
  },
  is_inf: {
    glsl: `bool is_inf(float x) { return (floatBitsToUint(x) & 0x7fffffffu) == 0x7f800000u; }`,
    js: `function is_inf(x) { return x === Infinity || x === -Infinity; }`,
  },
  is_finite: {
    glsl: `bool is_finite(float x) { return (floatBitsToUint(x) & 0x7f800000u) != 0x7f800000u; }`,
    js: `function is_finite(x) { return x - x === 0; }`,
  },
  is_negative: {
    glsl: `bool is_negative(float x) { return (floatBitsToUint(x) & 0x80000000u) != 0u; }`,
    js: `function is_negative(x) { return x < 0 || (x === 0 && 1 / x < 0); }`,
  },
  is_zero: {
    glsl: `bool is_zero(float x) { return (floatBitsToUint(x) & 0x7fffffffu) == 0u; }`,
    js: `function is_zero(x) { return x === 0; }`,
  },
  nan: {
    glsl: `float nan() { return uintBitsToFloat(0x7fc00000u); }`,
    js: `function nan() { return NaN; }`,
  },
  inf: {
    glsl: `float inf() { return uintBitsToFloat(0x7f800000u); }`,
    js: `function inf() { return Infinity; }`,
  },
  with_sign: {
    glsl: `float with_sign(float x, float sign) {
  return uintBitsToFloat((floatBitsToUint(x) & 0x7fffffffu) | (floatBitsToUint(sign) & 0x80000000u));
}`,
    js: `function with_sign(x, sign) { return is_negative(sign) ? -abs(x) : abs(x); }`,
  },
  neg: {
    glsl: `float neg(float x) { return uintBitsToFloat(floatBitsToUint(x) ^ 0x80000000u); }`,
    js: `function neg(x) { return -x; }`,
  },
  /** A finite number's exponent; 0 for 0, denormals and what is not finite. */
  exponent_of: {
    glsl: `float exponent_of(float x) {
  uint e = (floatBitsToUint(x) >> 23u) & 0xffu;
  return e == 0u || e == 255u ? 0.0 : float(int(e) - 127);
}`,
    js: `function exponent_of(x) {
  let a = abs(x);
  if (!(a >= 1.1754943508222875e-38 && a < Infinity)) return 0;
  let e = Math.floor(Math.log2(a));
  if (2 ** e > a) e--;
  return 2 ** (e + 1) <= a ? e + 1 : e;
}`,
  },
  /** From 1 to 2, with the sign; what has no exponent as it is. */
  mantissa_of: {
    glsl: `float mantissa_of(float x) {
  uint e = (floatBitsToUint(x) >> 23u) & 0xffu;
  return e == 0u || e == 255u ? x : uintBitsToFloat((floatBitsToUint(x) & 0x807fffffu) | 0x3f800000u);
}`,
    js: `function mantissa_of(x) { return x / 2 ** exponent_of(x); }`,
  },
  /** 2^n y for whole n: the power in two factors, since n may be beyond what one exponent holds. */
  scale_2: {
    glsl: `float scale_2(float y, float n) {
  int k = int(clamp(n, -300.0, 300.0));
  int h = k >> 2;
  float quarter = uintBitsToFloat(uint(h + 127) << 23u);
  return y * quarter * quarter * quarter * uintBitsToFloat(uint(k - 3 * h + 127) << 23u);
}`,
    js: `function scale_2(y, n) { return y * 2 ** n; }`,
  },
  /** The upper half of the digits. */
  high_half: {
    glsl: `float high_half(float x) { return uintBitsToFloat(floatBitsToUint(x) & 0xfffff000u); }`,
    js: `function high_half(x) {
  let unit = 2 ** (exponent_of(x) - 11);
  return Math.trunc(x / unit) * unit;
}`,
  },
  /** For whole a >= 0 and b > 0. By floats, and mended: processors that emulate cards divide integers one by one. */
  quotient: {
    glsl: `float quotient(float a, float b) {
  int n = int(a);
  int d = int(b);
  int q = int(a / b);
  int r = n - q * d;
  q += int(r >= d) - int(r < 0);
  r = n - q * d;
  q += int(r >= d) - int(r < 0);
  return float(q);
}`,
    js: `function quotient(a, b) { return Math.floor(a / b); }`,
  },
  idiv: {
    glsl: `float idiv(float a, float b) {
  float q = b == 0.0 ? 0.0 : quotient(abs(a), abs(b));
  return (a < 0.0) != (b < 0.0) ? 0.0 - q : q;
}`,
    js: `function idiv(a, b) { return b === 0 ? 0 : Math.trunc(a / b); }`,
  },
  imod: {
    glsl: `float imod(float a, float b) {
  return b == 0.0 ? 0.0 : float(int(a) - int(b) * int(idiv(a, b)));
}`,
    js: `function imod(a, b) { return b === 0 ? 0 : a % b; }`,
  },
  round_even: {
    glsl: `float round_even(float x) { return abs(x) < 8388608.0 ? with_sign(roundEven(x), x) : x; }`,
    js: `function round_even(x) {
  let below = Math.floor(x);
  let rest = x - below;
  if (rest !== 0.5) return with_sign(rest > 0.5 ? below + 1 : below, x);
  return with_sign(below % 2 === 0 ? below : below + 1, x);
}`,
  },
  /** Exact, as a long division of the mantissas, eight bits at a time. */
  fmod_f: {
    glsl: `int leading_zeros(uint x) {
  int n = 0;
  for (int i = 31; i >= 0; i--) { if (((x >> uint(i)) & 1u) == 1u) break; n++; }
  return n;
}
float fmod_f(float a, float b) {
  if (!is_finite(a) || is_nan(b) || is_zero(b)) return nan();
  uint x = floatBitsToUint(a) & 0x7fffffffu;
  uint y = floatBitsToUint(b) & 0x7fffffffu;
  if (x < y) return a;
  int exponent = int(x >> 23u);
  int to = int(y >> 23u);
  uint m = (x & 0x7fffffu) | 0x800000u;
  uint d = (y & 0x7fffffu) | 0x800000u;
  if (exponent == 0) { int s = leading_zeros(max(x, 1u)) - 8; m = x << uint(s); exponent = 1 - s; }
  if (to == 0) { int s = leading_zeros(max(y, 1u)) - 8; d = y << uint(s); to = 1 - s; }
  m = m % d;
  while (exponent > to && m != 0u) {
    int step = min(exponent - to, 8);
    m = (m << uint(step)) % d;
    exponent -= step;
  }
  if (m == 0u) return with_sign(0.0, a);
  int up = leading_zeros(m) - 8;
  int biased = to - up;
  m = m << uint(up);
  uint bits = biased > 0 ? (m & 0x7fffffu) | (uint(biased) << 23u) : m >> uint(min(1 - biased, 31));
  return with_sign(uintBitsToFloat(bits), a);
}`,
    js: `function fmod_f(a, b) { return a % b; }`,
  },
  /** sin(|x| + turns quarter turns), for finite x. */
  sine_of: {
    glsl: `uint mul_high(uint a, uint b) {
  uint al = a & 0xffffu; uint ah = a >> 16u;
  uint bl = b & 0xffffu; uint bh = b >> 16u;
  uint low = al * bl;
  uint mid = ah * bl + (low >> 16u);
  uint mid2 = al * bh + (mid & 0xffffu);
  return ah * bh + (mid >> 16u) + (mid2 >> 16u);
}
// The quarter turn that a finite |x| is in, and what is left of it, by the digits of 2/pi (Payne and Hanek).
vec2 reduce_large(float a) {
  uint word = floatBitsToUint(a);
  uint digits[8] = uint[8](0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  uint m = ((word & 0x7fffffu) << 8u) | 0x80000000u;
  uint exponent = (word >> 23u) - 128u;
  int i = int(exponent >> 5u);
  uint e = exponent & 31u;
  uint high = digits[i];
  uint mid = digits[i + 1];
  uint low = digits[i + 2];
  uint next = digits[i + 3];
  if (e != 0u) {
    high = (high << e) | (mid >> (32u - e));
    mid = (mid << e) | (low >> (32u - e));
    low = (low << e) | (next >> (32u - e));
  }
  uint l = m * mid;
  uint sum_low = l + mul_high(m, low);
  uint sum_high = mul_high(m, mid) + m * high + (sum_low < l ? 1u : 0u);
  uint quarter = sum_high >> 30u;
  sum_high = sum_high & 0x3fffffffu;
  uint rest_low = sum_low;
  bool negative = (sum_high & 0x20000000u) != 0u;
  if (negative) {
    quarter += 1u;
    rest_low = ~sum_low + 1u;
    sum_high = (0x3fffffffu - sum_high) + (sum_low == 0u ? 1u : 0u);
  }
  float fraction = float(sum_high) * 9.313225746154785e-10 + float(rest_low) * 2.168404344971009e-19;
  float angle = fraction * 1.5707963267948966;
  return vec2(float(quarter & 3u), negative ? -angle : angle);
}
float sine_of(float a, float turns) {
  float q = 0.0;
  float r = 0.0;
  if (a < 10000.0) {
    float n = floor(a * 0.6366197723675814 + 0.5);
    r = ((a - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.54978995489188216e-8;
    q = n + turns;
  } else {
    vec2 reduced = reduce_large(a);
    r = reduced.y;
    q = reduced.x + turns;
  }
  uint k = uint(q);
  float z = r * r;
  float s = ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 0.16666654611) * z * r + r;
  float c = ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * (z * z) - 0.5 * z + 1.0;
  float value = (k & 1u) == 1u ? c : s;
  return (k & 2u) == 2u ? -value : value;
}`,
    js: `function sine_of(a, turns) { return turns === 0 ? Math.sin(a) : turns === 1 ? Math.cos(a) : -Math.sin(a); }`,
  },
  /** The n-th derivative of cot, a polynomial of c = cot: each is -(1 + c^2) times the one before, derived by c. */
  cot_derivative: {
    glsl: `float cot_derivative(float n, float c) {
  float powers[40];
  for (int i = 0; i < 40; i++) powers[i] = 0.0;
  powers[1] = 1.0;
  for (int k = 0; k < int(n); k++) {
    float before = 0.0;
    float at = powers[0];
    for (int i = 0; i <= k + 2; i++) {
      float after = powers[i + 1];
      powers[i] = -(float(i + 1) * after + float(i - 1) * before);
      before = at;
      at = after;
    }
  }
  float sum = 0.0;
  for (int i = int(n) + 1; i >= 0; i--) sum = sum * c + powers[i];
  return sum;
}`,
    js: `function cot_derivative(n, c) {
  const powers = new Float64Array(40);
  powers[1] = 1;
  for (let k = 0; k < n; k++) {
    let before = 0;
    let at = powers[0];
    for (let i = 0; i <= k + 2; i++) {
      let after = powers[i + 1];
      powers[i] = -((i + 1) * after + (i - 1) * before);
      before = at;
      at = after;
    }
  }
  let sum = 0;
  for (let i = n + 1; i >= 0; i--) sum = sum * c + powers[i];
  return sum;
}`,
  },
};
