import type { ContractKernel, Expr, LoadExpr } from "@gradus/core";
import { ARGUMENTS, Bindings } from "./bindings.js";
import { decodeAxes } from "./decode.js";
import { Expressions } from "./expressions.js";
import { unrounded } from "./half.js";
import { Lowering } from "./lower.js";
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
const CHUNK_STEP = 32;

export interface ContractShape {
  readonly tile: Tile;
  readonly a: OperandPlan;
  readonly b: OperandPlan;
  /** Whether k is cut into chunks, whose sums go to scratch memory. */
  readonly split: boolean;
}

/** The axes of a contraction. */
export interface ContractAxes {
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
}

export function axesOfContract({ groups }: ContractKernel): ContractAxes {
  let next = 0;
  const take = (count: number): number[] => Array.from({ length: count }, () => next++);
  return { batch: take(groups.batch), m: take(groups.m), n: take(groups.n), k: take(groups.k) };
}

/** The buffer that an operand's four elements are loaded from. */
function vectorBuffer(e: Expr, plan: OperandPlan): number[] {
  return plan.vector ? [(unrounded(e).e as LoadExpr).buffer] : [];
}

/** What shaders of a contraction have in common: its axes, its buffers, and what is written. */
export class ContractShader {
  readonly axes: ContractAxes;
  readonly bindings: Bindings;
  private readonly lowering = new Lowering();
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

  /** A function of an operand's element, or of four where `plan` says so. */
  operand(name: string, e: Expr, outer: readonly number[], plan: OperandPlan): string {
    const { axes, bindings, type } = this;
    const expressions = this.expressions();
    decodeAxes(expressions, bindings, "batch", axes.batch);
    decodeAxes(expressions, bindings, "outer", outer);
    decodeAxes(expressions, bindings, "k", axes.k);
    const parameters = "batch: u32, outer: u32, k: u32";
    if (!plan.vector) {
      const value = expressions.value(e);
      return `fn ${name}(${parameters}) -> ${type} {\n${expressions.close()}\nreturn ${value};\n}`;
    }
    const value = this.vectorOf(e, expressions);
    return `fn ${name}(${parameters}) -> vec4<${type}> {\n${expressions.close()}\nreturn ${value};\n}`;
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
  const { tile, a, b, split } = shape;
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
  const { axes, bindings, type } = made;
  const vector = `vec4<${type}>`;

  // Blocks in shared memory: [outer][k / 4] with a column to spare against bank conflicts, or [k][outer / 4].
  const block = (plan: OperandPlan, size: number, at: string) => {
    const stride = plan.along === "k" ? bk / 4 + 1 : size / 4;
    return {
      vectors: plan.along === "k" ? size * stride : bk * stride,
      at: (row: string, column: string) => `tile[${at}(${row}) * ${stride}u + ${column}]`,
    };
  };
  const blockA = block(a, bm, "");
  const blockB = block(b, bn, `${blockA.vectors}u + `);
  const sliceVectors = (ty * bn) / 4;
  const memory = Math.max(blockA.vectors + blockB.vectors, sliceVectors);

  // Bringing a block: `count` vectors a thread.
  const bring = (name: string, plan: OperandPlan, size: number) => {
    const count = (size * bk) / 4 / threads;
    const first = name === "a" ? "m0" : "n0";
    const places = Array.from({ length: count }, (_, i) => {
      const v = `(lane + ${i * threads}u)`;
      return plan.along === "k"
        ? { row: `${v} / ${bk / 4}u`, column: `${v} % ${bk / 4}u` }
        : { row: `${v} / ${size / 4}u`, column: `${v} % ${size / 4}u` };
    });
    const load = places
      .map(({ row, column }, i) => {
        const [outer, k] =
          plan.along === "k"
            ? [`${first} + ${row}`, `from_k + 4u * (${column})`]
            : [`${first} + 4u * (${column})`, `from_k + ${row}`];
        return `p${name}${i} = bring_${name}(batch, ${outer}, ${k}, end_k);`;
      })
      .join("\n");
    const blockOf = name === "a" ? blockA : blockB;
    const store = places
      .map(({ row, column }, i) => `${blockOf.at(row, `(${column})`)} = p${name}${i};`)
      .join("\n");
    const declare = places.map((_, i) => `var p${name}${i} = ${vector}();`).join("\n");
    return { load, store, declare };
  };
  const bringA = bring("a", a, bm);
  const bringB = bring("b", b, bn);

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
let sum = tile[y * ${bn / 4}u + (j / 4u) * ${tx}u + column % ${tx}u][j % 4u];`
      : `let rest = column % ${4 * tx}u;
let sum = tile[y * ${bn / 4}u + (column / ${4 * tx}u) * ${tx}u + rest / 4u][rest % 4u];`;
  const putSlices = sums
    .map((row, i) => {
      const puts = row.map((sum, q) => `tile[ly * ${bn / 4}u + ${q * tx}u + lx] = ${sum};`);
      return `case ${i}u: { ${puts.join(" ")} }`;
    })
    .join("\n");
  const write = split
    ? "scratch[((chunk * batches + batch) * m_size + m) * n_size + n] = bitcast<u32>(sum);"
    : "write(batch, m, n, sum);";

  const text = `
${made.operand("a_at", kernel.a, axes.m, a)}
${made.operand("b_at", kernel.b, axes.n, b)}
${bringFunction("a", a, type)}
${bringFunction("b", b, type)}
${split ? "" : made.writes()}
${entryPoint(
  threads,
  `let m_size = ${made.extent(axes.m)};
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
let lx = lane % ${tx}u;
let ly = lane / ${tx}u;
let steps = (k_size + ${CHUNK_STEP - 1}u) / ${CHUNK_STEP}u;
let part = ((steps + chunks - 1u) / chunks) * ${CHUNK_STEP}u;
let end_k = min(k_size, (chunk + 1u) * part);
var from_k = chunk * part;
${sums
  .flat()
  .map((sum) => `var ${sum} = ${vector}();`)
  .join("\n")}
${bringA.declare}
${bringB.declare}
if (from_k < end_k) {
${bringA.load}
${bringB.load}
}
while (from_k < end_k) {
${bringA.store}
${bringB.store}
workgroupBarrier();
from_k += ${bk}u;
if (from_k < end_k) {
${bringA.load}
${bringB.load}
}
for (var q = 0u; q < ${bk / 4}u; q += 1u) {
${lines.join("\n")}
}
workgroupBarrier();
}
// The sums go through shared memory, a row of each thread at a time: so neighbouring threads write neighbours.
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
}`,
)}`;
  return made.shader(`var<workgroup> tile: array<${vector}, ${memory}>;`, text);
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

/** Four elements for shared memory, zeros beyond the end of k. */
function bringFunction(name: string, plan: OperandPlan, type: string): string {
  const zero = `${type}(0)`;
  const element = (i: number): string => {
    const at = plan.along === "k" ? `batch, outer, k + ${i}u` : `batch, outer + ${i}u, k`;
    const isInside = plan.along === "k" ? `k + ${i}u < end` : "k < end";
    return `select(${zero}, ${name}_at(${at}), ${isInside})`;
  };
  const value = plan.vector
    ? `select(vec4<${type}>(), ${name}_at(batch, outer, k), k < end)`
    : `vec4<${type}>(${[0, 1, 2, 3].map(element).join(", ")})`;
  return `fn bring_${name}(batch: u32, outer: u32, k: u32, end: u32) -> vec4<${type}> { return ${value}; }`;
}

export function sharedBytes({ bm, bn, bk, tm }: Tile): number {
  const padded = 4 * (bm + bn) * (bk + 4);
  return Math.max(padded, (bm / tm) * bn * 4);
}
