import type { ContractKernel, Expr } from "@gradus/core";
import {
  blockText,
  ContractShader,
  type OperandPlan,
  rootsOf,
  stepsText,
  vectorBuffer,
} from "./contract-shader.js";
import { unrounded } from "./half.js";
import { OperandBlock } from "./operand-block.js";
import { assemble, entryPoint, type Shader } from "./shader.js";

/** What a card's units for products of small matrices take and give: float16, and sums in f32. */
export interface MatrixUnits {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Threads of a subgroup, which has a unit. */
  readonly subgroup: number;
  /** Whether the compiler wants the order of elements in memory in angle brackets; earlier ones take a flag. */
  readonly isTemplated: boolean;
}

/** A block of the product that a workgroup computes, in steps of `bk`; a subgroup has `wm` x `wn` of it in its unit. */
export interface MatrixTile {
  readonly bm: number;
  readonly bn: number;
  readonly bk: number;
  readonly wm: number;
  readonly wn: number;
}

export interface MatrixShape {
  readonly tile: MatrixTile;
  readonly units: MatrixUnits;
  readonly a: OperandPlan;
  readonly b: OperandPlan;
  readonly split: boolean;
}

/** Elements to spare after each row of a block, against bank conflicts. */
const SPARE = 8;

/**
 * A matrix product of operands in float16 by the card's units for small matrices ("tensor cores"): threads bring blocks to shared
 * memory, subgroups multiply what they have of them. As with tiles, the next blocks are on their way meanwhile.
 */
export function matrixShader(kernel: ContractKernel, shape: MatrixShape, limit: number): Shader {
  const { tile, units, a, b, split } = shape;
  const { bm, bn, bk, wm, wn } = tile;
  const threads = threadsOf(tile, units);
  const axisCount = Object.values(kernel.groups).reduce((sum, count) => sum + count, 0);
  // What is stored in float16 is rounded by that.
  const [left, right] = [unrounded(kernel.a).e, unrounded(kernel.b).e];
  const made = new ContractShader(kernel, {
    axes: axisCount,
    limit,
    roots: [left, right, ...(split ? [] : rootsOf(kernel))],
    vectors: new Set([...vectorBuffer(left, a), ...vectorBuffer(right, b)]),
    ...(split && { outputs: [], scratch: "read_write" as const }),
  });
  const { axes } = made;

  const operand = (side: "a" | "b", e: Expr, outer: readonly number[], plan: OperandPlan, size: number) => {
    const block = new OperandBlock(made, e, outer, plan, side, { size, bk, threads });
    const stride = (plan.along === "k" ? bk : size) + SPARE;
    const length = (plan.along === "k" ? size : bk) * stride;
    const store = block.places.flatMap(({ row, column, value }) =>
      [0, 1, 2, 3].map(
        (i) => `tile_${side}[(${row}) * ${stride}u + 4u * ${column} + ${i}u] = f16(${value}[${i}]);`,
      ),
    );
    const matrix =
      side === "a"
        ? `subgroup_matrix_left<f16, ${units.k}, ${units.m}>`
        : `subgroup_matrix_right<f16, ${units.n}, ${units.k}>`;
    // Of a the rows, of b the columns are its outer ones.
    const isColumnMajor = (side === "a") !== (plan.along === "k");
    const take = (outerAt: string, k: string): string => {
      const at = plan.along === "k" ? `(${outerAt}) * ${stride}u + ${k}` : `(${k}) * ${stride}u + ${outerAt}`;
      return loadText(units, matrix, `&tile_${side}, ${at}`, isColumnMajor, stride);
    };
    return { block, store, take, memory: `var<workgroup> tile_${side}: array<f16, ${length}>;` };
  };
  const operandA = operand("a", left, axes.m, a, bm);
  const operandB = operand("b", right, axes.n, b, bn);

  const [rows, columns] = [wm / units.m, wn / units.n];
  const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const sums = all(rows).flatMap((i) => all(columns).map((j) => ({ i, j, name: `c${i}_${j}` })));
  const multiply = [
    ...all(rows).map((i) => `let a${i} = ${operandA.take(`row + ${i * units.m}u`, "q")};`),
    ...all(columns).map((j) => `let b${j} = ${operandB.take(`column + ${j * units.n}u`, "q")};`),
    ...sums.map(({ i, j, name }) => `${name} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, ${name});`),
  ];
  const result = `subgroup_matrix_result<f32, ${units.n}, ${units.m}>`;
  const elements = units.m * units.n;
  const write = split
    ? "scratch[((chunk * batches + batch) * m_size + m) * n_size + n] = bitcast<u32>(sum);"
    : "write(batch, m, n, sum);";

  const expressions = made.expressions();
  expressions.line(blockText(made, bm, bn));
  expressions.line(`let row = (subgroup / ${bn / wn}u) * ${wm}u;
let column = (subgroup % ${bn / wn}u) * ${wn}u;
${sums.map(({ name }) => `var ${name} = ${result}();`).join("\n")}`);
  expressions.line(
    stepsText(expressions, [operandA.block, operandB.block], {
      bk,
      store: [...operandA.store, ...operandB.store],
      multiply: `for (var q = 0u; q < ${bk}u; q += ${units.k}u) {\n${multiply.join("\n")}\n}`,
    }),
  );
  const puts = sums.map(
    ({ name }, i) =>
      `case ${i}u: { ${storeText(units, `&slices, subgroup * ${elements}u, ${name}`, units.n)} }`,
  );
  expressions.line(`// The sums go through shared memory, a small matrix of each subgroup at a time.
for (var i = 0u; i < ${sums.length}u; i += 1u) {
switch i {
${puts.join("\n")}
default: {}
}
workgroupBarrier();
for (var e = subgroup_lane; e < ${elements}u; e += ${units.subgroup}u) {
let m = m0 + row + (i / ${columns}u) * ${units.m}u + e / ${units.n}u;
let n = n0 + column + (i % ${columns}u) * ${units.n}u + e % ${units.n}u;
if (m < m_size && n < n_size) {
let sum = slices[subgroup * ${elements}u + e];
${write}
}
}
workgroupBarrier();
}`);
  const text = `${split ? "" : made.writes()}\n${entryPoint(threads, expressions.close(), true)}`;
  const slices = `var<workgroup> slices: array<f32, ${(threads / units.subgroup) * elements}>;`;
  return made.shader(`${operandA.memory}\n${operandB.memory}\n${slices}`, text);
}

function loadText(
  { isTemplated }: MatrixUnits,
  matrix: string,
  place: string,
  isColumnMajor: boolean,
  stride: number,
): string {
  return isTemplated
    ? `subgroupMatrixLoad<${matrix}, ${isColumnMajor ? "col_major" : "row_major"}>(${place}, ${stride}u)`
    : `subgroupMatrixLoad<${matrix}>(${place}, ${isColumnMajor}, ${stride}u)`;
}

function storeText({ isTemplated }: MatrixUnits, what: string, stride: number): string {
  return isTemplated
    ? `subgroupMatrixStore<row_major>(${what}, ${stride}u);`
    : `subgroupMatrixStore(${what}, false, ${stride}u);`;
}

/** A shader that uses the units in each way that is needed, to see whether a compiler takes it. */
export function matrixProbe(units: MatrixUnits): string {
  const { m, n, k, subgroup } = units;
  const left = `subgroup_matrix_left<f16, ${k}, ${m}>`;
  const right = `subgroup_matrix_right<f16, ${n}, ${k}>`;
  return assemble(
    `@group(0) @binding(0) var<storage, read_write> out: array<f32>;
var<workgroup> tile: array<f16, ${2 * k * Math.max(m, n)}>;
var<workgroup> slices: array<f32, ${m * n}>;`,
    `@compute @workgroup_size(${subgroup})
fn main(@builtin(local_invocation_index) lane: u32) {
tile[lane] = f16(lane);
workgroupBarrier();
let a = ${loadText(units, left, "&tile, 0u", false, k)};
let b = ${loadText(units, right, "&tile, 0u", true, k)};
let c = subgroupMatrixMultiplyAccumulate(a, b, subgroup_matrix_result<f32, ${n}, ${m}>());
${storeText(units, "&slices, 0u, c", n)}
workgroupBarrier();
out[lane] = slices[lane];
}`,
  );
}

export function threadsOf({ bm, bn, wm, wn }: MatrixTile, { subgroup }: MatrixUnits): number {
  return (bm / wm) * (bn / wn) * subgroup;
}

/** Bytes that a workgroup shares. */
export function matrixBytes(tile: MatrixTile, units: MatrixUnits): number {
  const { bm, bn, bk } = tile;
  const blocks =
    2 * (Math.max(bm * (bk + SPARE), bk * (bm + SPARE)) + Math.max(bn * (bk + SPARE), bk * (bn + SPARE)));
  return blocks + (threadsOf(tile, units) / units.subgroup) * units.m * units.n * 4;
}
