import type { TypedArray } from "../dtype.js";
import { axesOfContract, type ContractAxes } from "../ir/contract-axes.js";
import { type Expr, postOrder } from "../ir/expr.js";
import type { ContractKernel } from "../ir/kernel.js";
import { type BufferView, Frame } from "./frame.js";
import type { Program } from "./loop.js";
import { multiplyFloats, multiplyIntegers } from "./multiply.js";
import { Odometer } from "./odometer.js";
import { copyStrided, type Step } from "./op-loops.js";
import { CHUNK, type Register, RegisterAllocator, type RegisterPool } from "./registers.js";
import { type Tape, TapeBuilder } from "./tape.js";

/*
 * A contraction, block by block: the operands' loads are evaluated into dense panels `a[m][k]` and `b[n][k]` (for a
 * convolution that is im2col, a block at a time), the panels are multiplied, and the epilogue runs over the sums.
 */

/** At most this many elements of k in a panel. */
const K_BLOCK = 1024;
/** About this many elements in a panel: half a megabyte, so that both fit in the second-level cache. */
const PANEL = 65536;
const MIN_ROWS = 32;
/** However small k is, a block of sums must fit in the cache too. */
const MAX_ROWS = 512;

export function contractProgram(kernel: ContractKernel, pool: RegisterPool): Program {
  const plans = new Map<string, ContractPlan>();
  const axes = axesOfContract(kernel);
  return {
    run(buffers, sizes, params) {
      // Steps run along m, n or k, whichever has the longer last axis; which that is, is known only now.
      const lengthOf = (group: readonly number[]): number =>
        group.length === 0 ? 0 : (sizes[group[group.length - 1] as number] as number);
      const [m, n, k] = [lengthOf(axes.m), lengthOf(axes.n), lengthOf(axes.k)];
      const directions = {
        aAlongK: k >= m || k >= CHUNK,
        bAlongK: k >= n || k >= CHUNK,
        outAlongN: n >= m || n >= CHUNK,
      };
      const key = Object.values(directions).join();
      let plan = plans.get(key);
      if (plan === undefined) {
        plan = new ContractPlan(kernel, axes, directions, pool);
        plans.set(key, plan);
      }
      plan.run(buffers, sizes, params);
    },
  };
}

/** For each operand, and for the output, whether steps run along the second of its two groups of axes. */
interface Directions {
  readonly aAlongK: boolean;
  readonly bAlongK: boolean;
  readonly outAlongN: boolean;
}

class ContractPlan {
  private readonly frame: Frame;
  private readonly batch: Odometer;
  private readonly a: Panel;
  private readonly b: Panel;
  private readonly epilogue: Epilogue;
  /** Whether an operand is another one at each point of the batch. */
  private readonly aBatched: boolean;
  private readonly bBatched: boolean;
  private readonly isInteger: boolean;

  constructor(
    kernel: ContractKernel,
    private readonly axes: ContractAxes,
    private readonly directions: Directions,
    private readonly pool: RegisterPool,
  ) {
    const { batch, m, n, k } = axes;
    const { aAlongK, bAlongK, outAlongN } = directions;
    const frame = new Frame(kernel, batch.length + m.length + n.length + k.length, pool.precision);
    const walk = (first: readonly number[], second: readonly number[], alongSecond: boolean): Walk =>
      alongSecond ? new Walk(frame, batch, first, second) : new Walk(frame, batch, second, first);
    this.frame = frame;
    this.batch = new Odometer(frame, batch, 1);
    this.isInteger = kernel.accumulate === "i32";
    this.a = new Panel("a", frame, pool, walk(m, k, aAlongK), kernel.a, this.isInteger);
    this.b = new Panel("b", frame, pool, walk(n, k, bAlongK), kernel.b, this.isInteger);
    this.epilogue = new Epilogue(frame, pool, walk(m, n, outAlongN), kernel);
    this.aBatched = dependsOnAny(kernel.a, batch);
    this.bBatched = dependsOnAny(kernel.b, batch);
  }

  run(buffers: readonly BufferView[], sizes: readonly number[], params: readonly number[]): void {
    const { frame, batch, axes } = this;
    const count = (group: readonly number[]): number =>
      group.reduce((product, axis) => product * (sizes[axis] as number), 1);
    const [m, n, k] = [count(axes.m), count(axes.n), count(axes.k)];
    if (m === 0 || n === 0) return;
    frame.open(buffers, sizes, params);
    try {
      // What the panels hold is of another launch.
      this.a.forget();
      this.b.forget();
      if (!batch.reset()) return;
      do {
        if (this.aBatched) this.a.forget();
        if (this.bBatched) this.b.forget();
        this.product(m, n, k);
      } while (batch.next() >= 0);
    } finally {
      frame.close();
    }
  }

  /** The product at one point of the batch. */
  private product(m: number, n: number, k: number): void {
    const { pool, isInteger } = this;
    const { aAlongK, bAlongK, outAlongN } = this.directions;
    const multiply = isInteger ? multiplyIntegers : multiplyFloats;
    const kBlock = Math.max(1, Math.min(k, K_BLOCK));
    const rows = Math.min(MAX_ROWS, Math.max(MIN_ROWS, Math.floor(PANEL / kBlock)));
    const mBlock = Math.min(m, rows);
    const nBlock = Math.min(n, rows);
    for (let m0 = 0; m0 < m; m0 += mBlock) {
      const mCount = Math.min(mBlock, m - m0);
      for (let n0 = 0; n0 < n; n0 += nBlock) {
        const nCount = Math.min(nBlock, n - n0);
        const sums = pool.scratch("sums", isInteger, mCount * nCount).fill(0, 0, mCount * nCount);
        for (let k0 = 0; k0 < k; k0 += kBlock) {
          const kCount = Math.min(kBlock, k - k0);
          const a = this.a.pack(m0, mCount, k0, kCount, aAlongK);
          const b = this.b.pack(n0, nCount, k0, kCount, bAlongK);
          multiply(sums as never, a as never, b as never, mCount, nCount, kCount);
        }
        if (outAlongN) this.epilogue.write(sums, m0, mCount, n0, nCount, nCount, 1);
        else this.epilogue.write(sums, n0, nCount, m0, mCount, 1, nCount);
      }
    }
  }
}

/**
 * Walks a block of two groups of axes: every point of the outer group, and at each of them the points of the inner
 * group in stretches along its last axis, at most a chunk long.
 */
class Walk {
  readonly axes: readonly number[];
  readonly run: number | undefined;
  private readonly outer: Odometer;
  private readonly inner: Odometer;

  constructor(
    private readonly frame: Frame,
    batch: readonly number[],
    outer: readonly number[],
    inner: readonly number[],
  ) {
    this.axes = [...batch, ...outer, ...inner];
    this.run = inner[inner.length - 1];
    this.outer = new Odometer(frame, outer, batch.length + 1);
    this.inner = new Odometer(frame, inner.slice(0, -1), batch.length + outer.length + 1);
  }

  /** Calls `visit` with the depth of the outermost loop that moved, the place in the block, and the length. */
  walk(
    outerStart: number,
    outerCount: number,
    innerStart: number,
    innerCount: number,
    visit: (depth: number, row: number, column: number, n: number) => void,
  ): void {
    const { frame, outer, inner, run } = this;
    const length = run === undefined ? 1 : ((frame.sizes[run] as Register).data[0] as number);
    const deepest = this.axes.length;
    outer.seek(outerStart);
    let depth = 0;
    for (let row = 0; row < outerCount; row++) {
      const offset = innerStart % length;
      inner.seek((innerStart - offset) / length);
      frame.start = offset;
      let column = 0;
      while (column < innerCount) {
        const n = Math.min(CHUNK, length - frame.start, innerCount - column);
        visit(depth, row, column, n);
        column += n;
        frame.start += n;
        depth = deepest;
        if (frame.start === length) {
          frame.start = 0;
          depth = inner.next();
        }
      }
      depth = outer.next();
    }
  }
}

/** One operand of the product: a block of it, packed densely with k as the last axis. */
class Panel {
  private readonly tape: Tape;
  private readonly value: Register;
  private packed = "";

  constructor(
    private readonly slot: "a" | "b",
    frame: Frame,
    private readonly pool: RegisterPool,
    private readonly walk: Walk,
    expr: Expr,
    private readonly isInteger: boolean,
  ) {
    const nest = { axes: walk.axes, run: walk.run, stages: [], stageDepth: 0 };
    const builder = new TapeBuilder(frame, nest, new RegisterAllocator(pool));
    const value = builder.value(expr);
    this.tape = builder.build();
    this.value = value();
  }

  /** What is packed is of the past: another launch, or another point of the batch. */
  forget(): void {
    this.packed = "";
  }

  /** The panel of a block, packed again only if it is another block than the last time. */
  pack(row0: number, rows: number, k0: number, k: number, alongK: boolean): TypedArray {
    const { tape, value, walk } = this;
    const data = this.pool.scratch(this.slot, this.isInteger, rows * k);
    const block = `${row0} ${rows} ${k0} ${k}`;
    if (block === this.packed) return data;
    this.packed = block;
    if (alongK) {
      walk.walk(row0, rows, k0, k, (depth, row, column, n) => {
        tape.exec(depth, n);
        copyStrided(data, row * k + column, 1, value.data, value.step, n);
      });
    } else {
      walk.walk(k0, k, row0, rows, (depth, row, column, n) => {
        tape.exec(depth, n);
        copyStrided(data, column * k + row, k, value.data, value.step, n);
      });
    }
    return data;
  }
}

/** What is written: expressions of each sum. */
class Epilogue {
  private readonly tape: Tape;
  private readonly sum: Register;
  private readonly stores: readonly Step[];

  constructor(
    frame: Frame,
    pool: RegisterPool,
    private readonly walk: Walk,
    kernel: ContractKernel,
  ) {
    const registers = new RegisterAllocator(pool);
    this.sum = registers.take(kernel.accumulate);
    const nest = { axes: walk.axes, run: walk.run, stages: [this.sum], stageDepth: walk.axes.length };
    const builder = new TapeBuilder(frame, nest, registers);
    const stores = kernel.writes.map((write) =>
      builder.store(kernel.inputs.length + write.buffer, write.index, write.value),
    );
    this.tape = builder.build();
    this.stores = stores.map((store) => store());
  }

  /** Writes a block, given where the sum of its row and column is. */
  write(
    sums: TypedArray,
    row0: number,
    rows: number,
    column0: number,
    columns: number,
    rowStride: number,
    columnStride: number,
  ): void {
    const { tape, sum, stores, walk } = this;
    walk.walk(row0, rows, column0, columns, (depth, row, column, n) => {
      const first = row * rowStride + column * columnStride;
      for (let i = 0; i < n; i++) sum.data[i] = sums[first + i * columnStride] as number;
      tape.exec(depth, n);
      for (const store of stores) store(n);
    });
  }
}

function dependsOnAny(expr: Expr, axes: readonly number[]): boolean {
  return postOrder([expr]).some((e) => e.kind === "axis" && axes.includes(e.axis));
}
