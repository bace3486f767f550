import {
  axesOfContract,
  type ContractAxes,
  type ContractKernel,
  type Expr,
  type LoadExpr,
} from "@gradus/core";
import { ARGUMENTS, Bindings } from "./bindings.js";
import { decodeAxes } from "./decode.js";
import { Expressions } from "./expressions.js";
import { unrounded } from "./half.js";
import { Lowering } from "./lower.js";
import { OperandBlock } from "./operand-block.js";
import { assemble, entryPoint, type Shader } from "./shader.js";

/**
 * A block of the product that a workgroup computes, `bm` x `bn`, going through k in steps of `bk`; a thread has `tm` x `tn` of it
 * in registers.
 */
export interface Tile {
  readonly bm: number;
  readonly bn: number;
  readonly bk: number;
  readonly tm: number;
  readonly tn: number;
}

/** How an operand is brought to shared memory. */
export interface OperandPlan {
  /** Along which of its axes four elements are neighbours there: k, or its outer one (m or n). */
  readonly along: "k" | "outer";
  /** Whether they are neighbours in the buffer too, at a place that is a multiple of four: then they are one load. */
  readonly vector: boolean;
}

/** Chunks of k begin at multiples of this, through which all tiles go in whole steps: so they do not change a sum. */
export const CHUNK_STEP = 32;

export interface ContractShape {
  readonly tile: Tile;
  /** Whether blocks are kept in float16, which their elements were rounded to: half the memory. */
  readonly inHalves: boolean;
  readonly a: OperandPlan;
  readonly b: OperandPlan;
  /** Whether k is cut into chunks, whose sums go to scratch memory. */
  readonly split: boolean;
}

/** The buffer that an operand's four elements are loaded from. */
export function vectorBuffer(e: Expr, plan: OperandPlan): number[] {
  return plan.vector ? [(unrounded(e).e as LoadExpr).buffer] : [];
}

/** What shaders of a contraction have in common: its axes, its buffers, and what is written. */
export class ContractShader {
  readonly axes: ContractAxes;
  readonly bindings: Bindings;
  private readonly lowering = new Lowering();
  private renumberings = 0;
  readonly type: string;

  constructor(
    readonly kernel: ContractKernel,
    options: ConstructorParameters<typeof Bindings>[1],
  ) {
    this.axes = axesOfContract(kernel);
    this.bindings = new Bindings(kernel, options);
    this.type = kernel.accumulate;
  }

  /** How many points a group of axes has. */
  extent(axes: readonly number[]): string {
    return axes.map((axis) => `u32(${this.bindings.size(axis)})`).join(" * ") || "1u";
  }

  expressions(sum = ""): Expressions {
    const { bindings } = this;
    return new Expressions(this.lowering, {
      axis: (axis) => `a${axis}`,
      size: (axis) => bindings.size(axis),
      param: (index) => bindings.param(index),
      stage: () => sum,
      load: (buffer, index) => bindings.load(buffer, index),
    });
  }

  /** Numbers of its own for each axis, so that it may have several values at a time. */
  renumbering(): (axis: number) => number {
    const { batch, m, n, k } = this.axes;
    const shift = ++this.renumberings * (batch.length + m.length + n.length + k.length);
    return (axis) => axis + shift;
  }

  /** Four elements from where a load is, in a buffer that is bound as vectors. */
  vectorOf(operand: Expr, expressions: Expressions): string {
    const { bindings, type } = this;
    const { e, isHalf } = unrounded(operand);
    const { buffer, index, guard, fill = 0 } = this.lowering.lower(e) as LoadExpr;
    const four = `${bindings.name(buffer)}[u32(${expressions.value(index)}) >> 2u]`;
    const isStored = e.dtype === "f16";
    const loaded = isHalf ? `half_of_four(${four})` : isStored ? `vec4<f32>(${four})` : four;
    if (guard === undefined) return loaded;
    return `select(vec4<${type}>(${type}(${fill})), ${loaded}, ${expressions.value(guard)})`;
  }

  /** The function that writes what is made of a sum, at a point of the flattened groups of axes. */
  writes(): string {
    const { axes, bindings } = this;
    const expressions = this.expressions("sum");
    decodeAxes(expressions, bindings, "batch", axes.batch);
    decodeAxes(expressions, bindings, "m", axes.m);
    decodeAxes(expressions, bindings, "n", axes.n);
    return this.writeFunction("batch: u32, m: u32, n: u32", expressions);
  }

  /** The same at a point whose axes are known, in their order. */
  writesAt(): string {
    const { batch, m, n } = this.axes;
    const parameters = [...batch, ...m, ...n].map((axis) => `a${axis}: i32`).join(", ");
    return this.writeFunction(parameters, this.expressions("sum"));
  }

  private writeFunction(parameters: string, expressions: Expressions): string {
    const { bindings, kernel, type } = this;
    const stores = kernel.writes.map(({ buffer, index, value }) => {
      const [at, stored] = [expressions.fresh("i"), expressions.fresh("w")];
      expressions.line(`let ${at} = ${expressions.value(index)};`);
      expressions.line(`let ${stored} = ${expressions.value(value)};`);
      return bindings.store(buffer, at, stored);
    });
    for (const store of stores) expressions.line(store);
    return `fn write(${parameters}, sum: ${type}) {\n${expressions.close()}\n}`;
  }

  shader(workgroupMemory: string, text: string): Shader {
    const { bindings } = this;
    return {
      code: assemble(`${bindings.text}\n${workgroupMemory}`, text),
      bindings: bindings.list,
      packed: bindings.packed,
      words: bindings.words,
    };
  }
}

export function rootsOf(kernel: ContractKernel): Expr[] {
  return kernel.writes.flatMap(({ index, value }) => [index, value]);
}

/**
 * A matrix product in tiles: threads bring blocks of a and b to shared memory, four elements at a time, and each multiplies
 * what it has in registers. While they do, the next blocks are on their way. Every sum is taken in the order of k, whatever
 * the tile.
 */
export function contractShader(kernel: ContractKernel, shape: ContractShape, limit: number): Shader {
  const { tile, inHalves, a, b, split } = shape;
  const { bm, bn, bk, tm, tn } = tile;
  const [tx, ty] = [bn / tn, bm / tm];
  const threads = tx * ty;
  const axisCount = Object.values(kernel.groups).reduce((sum, count) => sum + count, 0);
  const made = new ContractShader(kernel, {
    axes: axisCount,
    limit,
    roots: [kernel.a, kernel.b, ...(split ? [] : rootsOf(kernel))],
    vectors: new Set([...vectorBuffer(kernel.a, a), ...vectorBuffer(kernel.b, b)]),
    ...(split && { outputs: [], scratch: "read_write" as const }),
  });
  const { axes, type } = made;
  const vector = `vec4<${type}>`;
  const kept = inHalves ? "vec4<f16>" : vector;

  // Blocks in shared memory: [outer][k / 4] with a column to spare against bank conflicts, or [k][outer / 4].
  const block = (plan: OperandPlan, size: number, at: string) => {
    const stride = plan.along === "k" ? bk / 4 + 1 : size / 4;
    const place = (row: string, column: string): string => `tile[${at}(${row}) * ${stride}u + ${column}]`;
    return {
      vectors: plan.along === "k" ? size * stride : bk * stride,
      put: (row: string, column: string, value: string) =>
        `${place(row, column)} = ${inHalves ? `${kept}(${value})` : value};`,
      at: (row: string, column: string) =>
        inHalves ? `${vector}(${place(row, column)})` : place(row, column),
    };
  };
  const blockA = block(a, bm, "");
  const blockB = block(b, bn, `${blockA.vectors}u + `);
  const sliceVectors = (ty * bn) / 4;
  const memory = inHalves
    ? `var<workgroup> tile: array<${kept}, ${blockA.vectors + blockB.vectors}>;
var<workgroup> slices: array<${vector}, ${sliceVectors}>;`
    : `var<workgroup> tile: array<${vector}, ${Math.max(blockA.vectors + blockB.vectors, sliceVectors)}>;`;
  const slices = inHalves ? "slices" : "tile";

  const bringA = new OperandBlock(made, kernel.a, axes.m, a, "a", { size: bm, bk, threads });
  const bringB = new OperandBlock(made, kernel.b, axes.n, b, "b", { size: bn, bk, threads });

  const sums = Array.from({ length: tm }, (_, i) => Array.from({ length: tn / 4 }, (_, q) => `c${i}_${q}`));
  const lines: string[] = [];
  const component = (k: number): string => "xyzw"[k] as string;
  if (a.along === "k") {
    for (let i = 0; i < tm; i++) lines.push(`let a${i} = ${blockA.at(`ly + ${i * ty}u`, "q")};`);
  }
  if (b.along === "k") {
    for (let j = 0; j < tn; j++) lines.push(`let b${j} = ${blockB.at(`lx + ${j * tx}u`, "q")};`);
  }
  for (let k = 0; k < 4; k++) {
    if (a.along === "outer") {
      for (let i = 0; i < tm / 4; i++) {
        lines.push(`let a${k}_${i} = ${blockA.at(`4u * q + ${k}u`, `${i * ty}u + ly`)};`);
      }
    }
    for (let q = 0; q < tn / 4; q++) {
      const value =
        b.along === "k"
          ? `${vector}(${[0, 1, 2, 3].map((j) => `b${4 * q + j}.${component(k)}`).join(", ")})`
          : blockB.at(`4u * q + ${k}u`, `${q * tx}u + lx`);
      lines.push(`let b${k}_${q} = ${value};`);
    }
    for (let i = 0; i < tm; i++) {
      const left =
        a.along === "k" ? `a${i}.${component(k)}` : `a${k}_${Math.floor(i / 4)}.${component(i % 4)}`;
      for (let q = 0; q < tn / 4; q++) {
        const sum = `c${i}_${q}`;
        lines.push(`${sum} = ${multiplyAdd(type, `${vector}(${left})`, `b${k}_${q}`, sum)};`);
      }
    }
  }

  // The rows and columns of a thread's elements.
  const rowOf = (i: string, y: string): string =>
    a.along === "k" ? `${y} + ${ty}u * ${i}` : `(${i} / 4u) * ${4 * ty}u + 4u * ${y} + ${i} % 4u`;
  const columnAt =
    b.along === "k"
      ? `let j = column / ${tx}u;
let sum = ${slices}[y * ${bn / 4}u + (j / 4u) * ${tx}u + column % ${tx}u][j % 4u];`
      : `let rest = column % ${4 * tx}u;
let sum = ${slices}[y * ${bn / 4}u + (column / ${4 * tx}u) * ${tx}u + rest / 4u][rest % 4u];`;
  const putSlices = sums
    .map((row, i) => {
      const puts = row.map((sum, q) => `${slices}[ly * ${bn / 4}u + ${q * tx}u + lx] = ${sum};`);
      return `case ${i}u: { ${puts.join(" ")} }`;
    })
    .join("\n");
  const write = split
    ? "scratch[((chunk * batches + batch) * m_size + m) * n_size + n] = bitcast<u32>(sum);"
    : "write(batch, m, n, sum);";

  const expressions = made.expressions();
  expressions.line(blockText(made, bm, bn));
  expressions.line(`let lx = lane % ${tx}u;
let ly = lane / ${tx}u;
${sums
  .flat()
  .map((sum) => `var ${sum} = ${vector}();`)
  .join("\n")}`);
  expressions.line(
    stepsText(expressions, [bringA, bringB], {
      bk,
      store: [
        ...bringA.places.map(({ row, column, value }) => blockA.put(row, column, value)),
        ...bringB.places.map(({ row, column, value }) => blockB.put(row, column, value)),
      ],
      multiply: `for (var q = 0u; q < ${bk / 4}u; q += 1u) {\n${lines.join("\n")}\n}`,
    }),
  );
  expressions.line(`// The sums go through shared memory, a row of each thread at a time: so neighbouring threads write neighbours.
for (var i = 0u; i < ${tm}u; i += 1u) {
switch i {
${putSlices}
default: {}
}
workgroupBarrier();
for (var e = lane; e < ${ty * bn}u; e += ${threads}u) {
let y = e / ${bn}u;
let column = e % ${bn}u;
let m = m0 + ${rowOf("i", "y")};
let n = n0 + column;
if (m < m_size && n < n_size) {
${columnAt}
${write}
}
}
workgroupBarrier();
}`);
  const text = `${split ? "" : made.writes()}\n${entryPoint(threads, expressions.close())}`;
  return made.shader(memory, text);
}

/** The shader that adds up the chunks of a product that was split, in their order, and writes. */
export function finishShader(kernel: ContractKernel, limit: number): Shader {
  const axisCount = Object.values(kernel.groups).reduce((sum, count) => sum + count, 0);
  const made = new ContractShader(kernel, {
    axes: axisCount,
    limit,
    roots: rootsOf(kernel),
    scratch: "read",
  });
  const { axes, bindings, type } = made;
  const text = `${made.writes()}
${entryPoint(
  64,
  `let m_size = ${made.extent(axes.m)};
let n_size = ${made.extent(axes.n)};
let points = ${made.extent(axes.batch)} * m_size * n_size;
let point = block * 64u + lane;
if (point >= points) { return; }
var sum = ${type}(0);
for (var chunk = 0u; chunk < ${bindings.word(ARGUMENTS.chunks)}; chunk += 1u) {
sum += bitcast<${type}>(scratch[chunk * points + point]);
}
write(point / (m_size * n_size), (point / n_size) % m_size, point % n_size, sum);`,
)}`;
  return made.shader("", text);
}

/** The multiplication that all tiles use, so that they agree to the last bit. */
export function multiplyAdd(type: string, a: string, b: string, sum: string): string {
  return type === "f32" ? `fma(${a}, ${b}, ${sum})` : `${sum} + ${a} * ${b}`;
}

/** Which block of the product a workgroup computes, and over which part of k. */
export function blockText(made: ContractShader, bm: number, bn: number): string {
  const { axes, bindings } = made;
  return `let m_size = ${made.extent(axes.m)};
let n_size = ${made.extent(axes.n)};
let k_size = ${made.extent(axes.k)};
let batches = ${made.extent(axes.batch)};
let tiles_m = (m_size + ${bm - 1}u) / ${bm}u;
let tiles_n = (n_size + ${bn - 1}u) / ${bn}u;
let layer = block / (tiles_m * tiles_n);
let chunks = ${bindings.word(ARGUMENTS.chunks)};
if (layer >= batches * chunks) { return; }
let batch = layer % batches;
let chunk = layer / batches;
// Eight rows of tiles go together, so that neighbours in time read the same blocks.
let t = block % (tiles_m * tiles_n);
let first_row = (t / (8u * tiles_n)) * 8u;
let rows = min(tiles_m - first_row, 8u);
let within = t % (8u * tiles_n);
let m0 = (first_row + within % rows) * ${bm}u;
let n0 = (within / rows) * ${bn}u;
let steps = (k_size + ${CHUNK_STEP - 1}u) / ${CHUNK_STEP}u;
let part = ((steps + chunks - 1u) / chunks) * ${CHUNK_STEP}u;
let end_k = min(k_size, (chunk + 1u) * part);
var from_k = chunk * part;`;
}

/**
 * The loop over k: while threads multiply what is in shared memory, the next blocks are on their way to their registers.
 */
export function stepsText(
  expressions: Expressions,
  blocks: readonly [OperandBlock, OperandBlock],
  {
    bk,
    store,
    multiply,
  }: { readonly bk: number; readonly store: readonly string[]; readonly multiply: string },
): string {
  const { axes, bindings } = blocks[0].made;
  decodeAxes(expressions, bindings, "batch", axes.batch);
  blocks[0].begin(expressions, "m0");
  blocks[1].begin(expressions, "n0");
  expressions.open(blocks.flatMap(({ loopAxes }) => loopAxes));
  for (const block of blocks) block.load(expressions);
  const load = expressions.close();
  return `var is_there = false;
loop {
let is_more = from_k < end_k;
if (is_more) {
${load}
}
if (is_there) {
${multiply}
workgroupBarrier();
}
if (!is_more) { break; }
${store.join("\n")}
workgroupBarrier();
from_k += ${bk}u;
is_there = true;
}`;
}

/** Bytes that a workgroup shares. */
export function sharedBytes({ bm, bn, bk, tm }: Tile, inHalves: boolean): number {
  const slices = (bm / tm) * bn * 4;
  const blocks = (inHalves ? 2 : 4) * (bm + bn) * (bk + 4);
  return inHalves ? blocks + slices : Math.max(blocks, slices);
}
