import type { Tensor } from "@gradus/core";
import {
  addmm,
  bilinear,
  cholesky,
  det,
  diag,
  diagEmbed,
  diagonal,
  eigh,
  einsum,
  inv,
  kron,
  linear,
  outer,
  qr,
  scaledDotProductAttention,
  slogdet,
  solve,
  svd,
  trace,
  triangularSolve,
  tril,
  triu,
} from "@gradus/tensor";
import type { Options } from "../options.js";
import { unsupported } from "../unsupported.js";
import { binary, type Op, type OpTable, unary, unaryWith } from "./op.js";

const linalg: OpTable = {
  cholesky: unaryWith((x, options) => {
    const lower = cholesky(x);
    return options.boolean("upper", false) ? lower.transpose() : lower;
  }),
  det: unary((x) => det(x)),
  inv: unary((x) => inv(x)),
  slogdet: unaryWith((x) => {
    const { sign, logabsdet } = slogdet(x);
    return [sign, logabsdet];
  }),
  logdet: unary((x) => {
    const { sign, logabsdet } = slogdet(x);
    return sign.lt(0).where(Number.NaN, logabsdet);
  }),
  solve: binary((a, b) => solve(a, b)),
  solve_triangular: ([a, b], options) =>
    triangularSolve(a as Tensor, b as Tensor, {
      upper: options.boolean("upper", false),
      left: options.boolean("left", true),
      unitriangular: options.boolean("unitriangular", false),
    }),
  qr: unaryWith((x, options) => {
    const mode = options.string("mode", "reduced");
    if (mode !== "reduced" && mode !== "complete") return unsupported(`qr with mode ${mode}`);
    const { q, r } = qr(x, { mode });
    return [q, r];
  }),
  eigh: unaryWith((x, options) => {
    const { values, vectors } = eigh(lowerOf(x, options));
    return [values, vectors];
  }),
  eigvalsh: unaryWith((x, options) => eigh(lowerOf(x, options)).values),
  svd: unaryWith((x, options) => {
    const { u, s, vh } = svd(x, { fullMatrices: options.boolean("full_matrices", true) });
    return [u, s, vh];
  }),
  svdvals: unary((x) => svd(x, { fullMatrices: false }).s),
};

export const linearAlgebra: OpTable = {
  matmul: binary((a, b) => a.matmul(b)),
  mm: binary((a, b) => a.matmul(b)),
  mv: binary((a, b) => a.matmul(b)),
  dot: binary((a, b) => a.matmul(b)),
  bmm: binary((a, b) => a.matmul(b)),
  outer: binary((a, b) => outer(a, b)),
  kron: binary((a, b) => kron(a, b)),
  einsum: (operands, options) => einsum(options.string("equation", ""), ...operands),
  addmm: addProduct(),
  baddbmm: addProduct(),
  linear: ([x, weight, bias]) => linear(x as Tensor, weight as Tensor, bias),
  bilinear: ([a, b, weight, bias]) => bilinear(a as Tensor, b as Tensor, weight as Tensor, bias),
  trace: unary((x) => trace(x)),
  diag: unaryWith((x, options) => diag(x, options.number("diagonal", 0))),
  diag_embed: unaryWith((x, options) =>
    diagEmbed(x, options.number("offset", 0), options.number("dim1", -2), options.number("dim2", -1)),
  ),
  diagonal: unaryWith((x, options) =>
    diagonal(x, options.number("offset", 0), options.number("dim1", 0), options.number("dim2", 1)),
  ),
  tril: unaryWith((x, options) => tril(x, options.number("diagonal", 0))),
  triu: unaryWith((x, options) => triu(x, options.number("diagonal", 0))),
  scaled_dot_product_attention: ([query, key, value, mask], options) =>
    scaledDotProductAttention(query as Tensor, key as Tensor, value as Tensor, {
      causal: options.boolean("causal", false) || options.boolean("is_causal", false),
      ...(mask && { mask }),
      ...(options.has("scale") && { scale: options.number("scale") }),
    }),
  triangular_solve: ([b, a], options) => {
    const upper = options.boolean("upper", true);
    const transposed = options.boolean("transpose", false);
    const matrix = transposed ? (a as Tensor).transpose() : (a as Tensor);
    const unitriangular = options.boolean("unitriangular", false);
    return triangularSolve(matrix, b as Tensor, { upper: upper !== transposed, unitriangular });
  },
  ...Object.fromEntries(
    Object.entries(linalg).flatMap(([name, op]) => [
      [name, op],
      [`linalg_${name}`, op],
    ]),
  ),
};

/** `beta x + alpha a b`. */
function addProduct(): Op {
  return ([x, a, b], options) =>
    addmm(x as Tensor, a as Tensor, b as Tensor, {
      beta: options.number("beta", 1),
      alpha: options.number("alpha", 1),
    });
}

/** The matrix with what the option names in its lower triangle. */
function lowerOf(x: Tensor, options: Options): Tensor {
  return options.string("UPLO", "L") === "U" ? x.transpose() : x;
}
