import {
  axisIndex,
  axisSize,
  type ContractKernel,
  calculus as c,
  cast,
  dependsOnAxis,
  type Expr,
  type LoopKernel,
  load,
  type Output,
  param,
  substitute,
} from "@gradus/core";
import { multiplyFunction, PANEL, ROWS } from "./emit/multiply-function.js";
import type { PhaseFunction } from "./loader.js";
import { loopProgram } from "./loop-program.js";
import type { Machine } from "./machine.js";
import { type HostCall, type Program, paramsAt } from "./program.js";

/** Rows of a are packed and multiplied in blocks of about so many elements: they stay in the cache. */
const BLOCK = 32768;

/**
 * A contraction. In f32, blocks of rows of a, and all of b, are packed to dense memory (by loops, which is where their
 * expressions are computed), multiplied, and written by a loop that reads the products. In other dtypes it is one loop
 * kernel with a sum.
 */
export function contractProgram(kernel: ContractKernel, machine: Machine): Program {
  const { accumulate, a } = kernel;
  if (accumulate === "f32" && a.dtype === "f32") return packedProgram(kernel, machine);
  return loopProgram(asLoops(kernel));
}

function asLoops({ groups, a, b, accumulate, writes, ...kernel }: ContractKernel): LoopKernel {
  const grid = groups.batch + groups.m + groups.n;
  const over = range(grid, groups.k);
  const value = c.mul(cast(a, accumulate), cast(b, accumulate));
  return {
    ...kernel,
    kind: "loop",
    axes: grid + groups.k,
    grid,
    stages: [{ over, op: "sum", value, dtype: accumulate }],
    writes: writes.map((write) => ({ ...write, over: [] })),
  };
}

function packedProgram(kernel: ContractKernel, machine: Machine): Program {
  const { groups, inputs, params } = kernel;
  const [packA, packB, write] = [packRows(kernel), packPanels(kernel), writeProducts(kernel)].map((loops) =>
    runner(loops, machine),
  ) as [Run, Run, Run];
  const batchAxes = range(0, groups.batch);
  const sharesB = batchAxes.every((axis) => !dependsOnAxis(kernel.b, axis));
  let multiply: PhaseFunction | undefined;
  const run = ({ memory, addresses, sizes, params: numbers }: HostCall): undefined => {
    const batchAndM = groups.batch + groups.m;
    const mn = batchAndM + groups.n;
    const nSizes = sizes.slice(batchAndM, mn);
    const kSizes = sizes.slice(mn);
    const [batch, m, n, k] = [
      sizes.slice(0, groups.batch),
      sizes.slice(groups.batch, batchAndM),
      nSizes,
      kSizes,
    ].map(product) as [number, number, number, number];
    if (batch * m * n === 0) return undefined;
    multiply ??= machine.loader.load(
      { imports: [], functions: [{ ...multiplyFunction(), exported: "run" }] },
      "run",
    );
    const panels = Math.ceil(n / PANEL);
    const wanted = Math.min(m, BLOCK / Math.max(k, 1), (4 * BLOCK) / n);
    const block = Math.max(ROWS, Math.floor(wanted / ROWS) * ROWS);

    const args = machine.arguments(0);
    const left = machine.scratch(4 * (block * k + PANEL * panels * (k + block)));
    const right = left + 4 * block * k;
    const products = right + 4 * PANEL * panels * k;
    const sources = addresses.slice(0, inputs.length);
    const targets = addresses.slice(inputs.length);
    const extra = (batchIndex: number, start: number): number[] => [
      ...numbers,
      batchIndex,
      start,
      PANEL * panels,
      ...sizes,
    ];
    for (let i = 0; i < batch; i++) {
      if (i === 0 || !sharesB) {
        const whole = Math.floor(n / PANEL);
        packB([...sources, right], [whole, ...kSizes, PANEL], extra(i, 0));
        if (whole < panels) {
          const last = right + 4 * PANEL * k * whole;
          // Columns that are not there: of zeros, not of what happens to lie there, which may be slow denormals.
          memory.bytes.fill(0, last, last + 4 * PANEL * k);
          packB([...sources, last], [1, ...kSizes, n % PANEL], extra(i, whole * PANEL));
        }
      }
      for (let start = 0; start < m; start += block) {
        const rows = Math.min(block, m - start);
        packA([...sources, left], [rows, ...kSizes], extra(i, start));
        memory.words.set([left, right, products, rows, panels, k], args / 4);
        multiply(args, 0, 1);
        write([...sources, products, ...targets], [rows, ...nSizes], extra(i, start));
      }
    }
    return undefined;
  };
  return { kind: "host", run };

  // The loops' further params: which of the batch, the first row or column, the columns of the products, all sizes.
  function extraParams(): Pick<LoopKernel, "kind" | "name" | "params" | "stages"> {
    const count = 3 + groups.batch + groups.m + groups.n + groups.k;
    return {
      kind: "loop",
      name: kernel.name,
      params: [...params, ...new Array<"i32">(count).fill("i32")],
      stages: [],
    };
  }

  function packRows({ a }: ContractKernel): LoopKernel {
    const kAxes = range(1, groups.k);
    const row = c.add(axisIndex(0), param(params.length + 1, "i32"));
    const value = relocated(a, row, undefined, kAxes);
    return dense(extraParams(), inputs, 1 + groups.k, flatten([0, ...kAxes]), value);
  }

  function packPanels({ b }: ContractKernel): LoopKernel {
    const kAxes = range(1, groups.k);
    const lane = 1 + groups.k;
    const column = c.add(c.add(c.mul(axisIndex(0), PANEL), axisIndex(lane)), param(params.length + 1, "i32"));
    const value = relocated(b, undefined, column, kAxes);
    const index = c.add(c.mul(flatten([0, ...kAxes]), PANEL), axisIndex(lane));
    return dense(extraParams(), inputs, lane + 1, index, value);
  }

  function writeProducts({ writes, outputs }: ContractKernel): LoopKernel {
    const nAxes = range(1, groups.n);
    const row = c.add(axisIndex(0), param(params.length + 1, "i32"));
    const column = nAxes.length === 0 ? c.mul(axisIndex(0), 0) : flatten(nAxes);
    const index = c.add(c.mul(axisIndex(0), param(params.length + 2, "i32")), column);
    const sum = load(inputs.length, "f32", index);
    const move = (e: Expr): Expr => relocated(e, row, nAxes, [], sum);
    return {
      ...extraParams(),
      inputs: [...inputs, "f32"],
      outputs,
      axes: 1 + groups.n,
      grid: 1 + groups.n,
      writes: writes.map(
        ({ buffer, index: at, value }): Output => ({ over: [], buffer, index: move(at), value: move(value) }),
      ),
    };
  }

  /** `e` with its axes replaced: those of the batch, of m and n by what their flat position says, those of k by others. */
  function relocated(
    e: Expr,
    row: Expr | undefined,
    column: Expr | readonly number[] | undefined,
    kAxes: readonly number[],
    sum?: Expr,
  ): Expr {
    const first = params.length;
    const size = (axis: number): Expr => param(first + 3 + axis, "i32");
    const axes = new Map<number, Expr>();
    const split = (flat: Expr | undefined, start: number, count: number): void => {
      let rest = flat;
      for (let axis = start + count - 1; axis >= start && rest !== undefined; axis--) {
        axes.set(axis, axis === start ? rest : c.imod(rest, size(axis)));
        if (axis > start) rest = c.idiv(rest, size(axis));
      }
    };
    const assign = (list: readonly number[], start: number): void => {
      for (const [i, axis] of list.entries()) axes.set(start + i, axisIndex(axis));
    };
    const n = groups.batch + groups.m;
    split(param(first, "i32"), 0, groups.batch);
    split(row, groups.batch, groups.m);
    if (isList(column)) assign(column, n);
    else split(column, n, groups.n);
    assign(kAxes, n + groups.n);
    // What stands in an axis' place speaks of the new axes already, so it is not looked into.
    return substitute(e, (node) => {
      if (node.kind === "axis") return axes.get(node.axis);
      if (node.kind === "size") return size(node.axis);
      return node.kind === "stage" ? sum : undefined;
    });
  }
}

type Run = ReturnType<typeof runner>;

/** Runs loops on addresses. */
function runner(kernel: LoopKernel, machine: Machine) {
  const { phases } = loopProgram(kernel);
  return (addresses: readonly number[], sizes: readonly number[], params: readonly number[]): void => {
    const start = paramsAt(addresses.length, sizes.length);
    const args = machine.arguments(start + 8 * params.length);
    const { words, doubles } = machine.memory;
    words.set([...addresses, ...sizes, 0], args / 4);
    doubles.set(params, (args + start) / 8);
    for (const { module, entry } of phases(sizes)) {
      machine.loader.load(module, entry)(args, 0, 1);
    }
  };
}

function dense(
  parts: Pick<LoopKernel, "kind" | "name" | "params" | "stages">,
  inputs: LoopKernel["inputs"],
  axes: number,
  index: Expr,
  value: Expr,
): LoopKernel {
  return {
    ...parts,
    inputs,
    outputs: ["f32"],
    axes,
    grid: axes,
    writes: [{ over: [], buffer: 0, index, value }],
  };
}

/** The row-major position over axes. */
function flatten([first, ...rest]: readonly number[]): Expr {
  return rest.reduce(
    (at, axis) => c.add(c.mul(at, axisSize(axis)), axisIndex(axis)),
    axisIndex(first as number),
  );
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

function range(start: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}

function isList(column: Expr | readonly number[] | undefined): column is readonly number[] {
  return Array.isArray(column);
}
