import { axisIndex, type ContractKernel, type Expr, type LoadExpr, substitute } from "@gradus/core";
import { ARGUMENTS } from "./bindings.js";
import { ContractShader, multiplyAdd, rootsOf } from "./contract-shader.js";
import { decodeAxes } from "./decode.js";
import { unrounded } from "./half.js";
import { byLoops } from "./operand-block.js";
import { entryPoint, type Shader } from "./shader.js";

/** What a thread computes of a product by itself: `rows` x `columns` sums in registers, both multiples of four. */
export interface RegisterBlock {
  readonly rows: number;
  readonly columns: number;
}

export interface RegisterShape {
  readonly block: RegisterBlock;
  /** Whether four rows of a, four columns of b, are neighbours in the buffer, at a place that is a multiple of four. */
  readonly a: { readonly vector: boolean };
  readonly b: { readonly vector: boolean };
  /** Whether the first axis of k is cut into chunks, whose sums go to scratch memory. */
  readonly split: boolean;
}

/**
 * A matrix product without shared memory: each thread keeps a block of sums in registers and loads the operands from the
 * buffers themselves, once for a whole row or column of the block. The loops run over the axes of k as they are, so that no
 * index is taken apart in them, and what does not change in a loop is computed before it.
 */
export function registerShader(kernel: ContractKernel, shape: RegisterShape, limit: number): Shader {
  const { split } = shape;
  const { rows, columns } = shape.block;
  const axisCount = Object.values(kernel.groups).reduce((sum, count) => sum + count, 0);
  const bufferOf = (e: Expr, { vector }: { readonly vector: boolean }): number[] =>
    vector ? [(unrounded(e).e as LoadExpr).buffer] : [];
  const made = new ContractShader(kernel, {
    axes: axisCount,
    limit,
    roots: [kernel.a, kernel.b, ...(split ? [] : rootsOf(kernel))],
    vectors: new Set([...bufferOf(kernel.a, shape.a), ...bufferOf(kernel.b, shape.b)]),
    ...(split && { outputs: [], scratch: "read_write" as const }),
  });
  const { axes, bindings, type } = made;
  const expressions = made.expressions();
  const vector = `vec4<${type}>`;
  const size = (axis: number): string => bindings.size(axis);
  const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  expressions.line(`let m_size = ${made.extent(axes.m)};
let n_size = ${made.extent(axes.n)};
let batches = ${made.extent(axes.batch)};
let chunks = ${bindings.word(ARGUMENTS.chunks)};
let blocks_m = (m_size + ${rows - 1}u) / ${rows}u;
let blocks_n = (n_size + ${columns - 1}u) / ${columns}u;
let thread = block * ${REGISTER_THREADS}u + lane;
let n0 = (thread % blocks_n) * ${columns}u;
let m0 = ((thread / blocks_n) % blocks_m) * ${rows}u;
let layer = thread / (blocks_n * blocks_m);
if (layer >= batches * chunks) { return; }
let batch = layer % batches;
let chunk = layer / batches;`);
  decodeAxes(expressions, bindings, "batch", axes.batch);

  // Each row and column has numbers of its own for the operand's axes. Beyond the end, the last one is computed again.
  const elements = (side: Side): { e: Expr; own: (axis: number) => number }[] =>
    all(side.plan.vector ? side.count / 4 : side.count).map((i) => {
      const own = made.renumbering();
      const at = expressions.fresh("at");
      const [step, last] = side.plan.vector ? [4, 4] : [1, 1];
      expressions.line(`let ${at} = min(${side.first} + ${step * i}u, ${side.extent} - ${last}u);`);
      decodeAxes(expressions, bindings, at, side.outer, own);
      const moved = substitute(side.e, (node) =>
        node.kind === "axis" && side.outer.includes(node.axis) ? axisIndex(own(node.axis)) : undefined,
      );
      return { e: byLoops(moved, axes.k), own };
    });
  const sides: readonly Side[] = [
    { e: kernel.a, plan: shape.a, count: rows, outer: axes.m, first: "m0", extent: "m_size" },
    { e: kernel.b, plan: shape.b, count: columns, outer: axes.n, first: "n0", extent: "n_size" },
  ];
  const operands = sides.map((side) => {
    const found = elements(side);
    return { vector: side.plan.vector, elements: found.map(({ e }) => e), owns: found.map(({ own }) => own) };
  });
  const sum = (i: number, q: number): string => `c${i}_${q}`;
  for (const i of all(rows))
    for (const q of all(columns / 4)) expressions.line(`var ${sum(i, q)} = ${vector}();`);

  const [firstAxis] = axes.k;
  if (split) {
    expressions.line(`let part = (${size(firstAxis as number)} + i32(chunks) - 1) / i32(chunks);
let from_k = i32(chunk) * part;
let to_k = min(${size(firstAxis as number)}, from_k + part);`);
  }
  for (const axis of axes.k) expressions.open([axis]);
  // Four elements by name, or one by one.
  const [a, b] = operands.map(({ vector: isVector, elements }) => {
    if (!isVector) return elements.map((e) => expressions.value(e));
    return elements.flatMap((e) => {
      const four = expressions.fresh("four");
      expressions.line(`let ${four} = ${made.vectorOf(e, expressions)};`);
      return [0, 1, 2, 3].map((i) => `${four}[${i}]`);
    });
  }) as [string[], string[]];
  for (const q of all(columns / 4)) {
    const texts = b.slice(4 * q, 4 * q + 4);
    const four = expressions.fresh("four");
    const joined = shape.b.vector ? (texts[0] as string).slice(0, -3) : `${vector}(${texts.join(", ")})`;
    expressions.line(`let ${four} = ${joined};`);
    for (const i of all(rows)) {
      const name = sum(i, q);
      expressions.line(`${name} = ${multiplyAdd(type, `${vector}(${a[i]})`, four, name)};`);
    }
  }
  for (const axis of [...axes.k].reverse()) {
    const [from, to] = split && axis === firstAxis ? ["from_k", "to_k"] : ["0", size(axis)];
    const text = expressions.close();
    expressions.line(`for (var a${axis} = ${from}; a${axis} < ${to}; a${axis} += 1) {\n${text}\n}`);
  }

  // One element after the other, so that what is made of a sum stands in the shader once. Its axes were found above.
  const placed = (axesOf: readonly number[], own: (axis: number) => number, step: number): string =>
    axesOf
      .map(
        (axis, at) => `p${axis} = a${own(axis)}${at === axesOf.length - 1 && step > 0 ? ` + ${step}` : ""};`,
      )
      .join(" ");
  const place = (side: number, i: number): string => {
    const { plan, outer } = sides[side] as Side;
    const { owns } = operands[side] as (typeof operands)[0];
    return plan.vector
      ? placed(outer, owns[Math.floor(i / 4)] as (axis: number) => number, i % 4)
      : placed(outer, owns[i] as (axis: number) => number, 0);
  };
  const groups = columns / 4;
  const row = all(rows).map((i) => {
    const taken = all(groups).map((q) => `four${q} = ${sum(i, q)};`);
    return `case ${i}u: { ${place(0, i)} ${taken.join(" ")} }`;
  });
  const column = all(columns).map(
    (j) => `case ${j}u: { ${place(1, j)} sum = four${Math.floor(j / 4)}[${j % 4}]; }`,
  );
  const point = [
    ...axes.batch.map((axis) => `a${axis}`),
    ...[...axes.m, ...axes.n].map((axis) => `p${axis}`),
  ];
  const write = split
    ? "scratch[((chunk * batches + batch) * m_size + m0 + i) * n_size + n0 + j] = bitcast<u32>(sum);"
    : `write(${[...point, "sum"].join(", ")});`;
  expressions.line(`${[...axes.m, ...axes.n].map((axis) => `var p${axis} = 0;`).join(" ")}
${all(groups)
  .map((q) => `var four${q} = ${vector}();`)
  .join(" ")}
for (var i = 0u; i < min(${rows}u, m_size - m0); i += 1u) {
switch i {
${row.join("\n")}
default: {}
}
for (var j = 0u; j < min(${columns}u, n_size - n0); j += 1u) {
var sum = ${type}();
switch j {
${column.join("\n")}
default: {}
}
${write}
}
}`);
  return made.shader(
    "",
    `${split ? "" : made.writesAt()}\n${entryPoint(REGISTER_THREADS, expressions.close())}`,
  );
}

export const REGISTER_THREADS = 64;

/** An operand, and the rows or columns of it that a thread needs. */
interface Side {
  readonly e: Expr;
  readonly plan: { readonly vector: boolean };
  readonly count: number;
  readonly outer: readonly number[];
  readonly first: string;
  readonly extent: string;
}
