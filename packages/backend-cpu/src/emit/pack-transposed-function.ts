import type { Expr } from "@gradus/core";
import { unsigned, V128, type WasmFunction } from "../wasm/encode.js";
import { simd } from "../wasm/function-body.js";
import type { Callees } from "./callees.js";
import { bytesOfElement, ContractFrame, type Contraction } from "./contract-frame.js";
import type { Operand } from "./operand.js";
import type { Local } from "./words.js";

/** Rows that are packed at a time, so that they stay in the cache until they are full. */
const ROWS = 64;

/**
 * As `packFunction` for an operand whose loads are dense along the last axis of the rows: square blocks are computed along the
 * rows and transposed in registers. It may write up to three rows and, in each, three elements more.
 */
export function packTransposedFunction(
  kernel: Contraction,
  callees: Callees,
  { value, columns: columnsName }: Operand,
): WasmFunction {
  const frame = new ContractFrame(kernel, callees, 9, [], [value]);
  const { body, words, parameters, emitter, groups } = frame;
  const [, batchIndex, firstRow, endRow, firstColumn, endColumn, target, rowBytes] =
    parameters as unknown as Eight<Local>;
  const { batch, k: rows } = groups;
  const { last } = rows;
  const bytes = bytesOfElement(value.dtype);
  const side = emitter.lanes;
  const columns = Array.from({ length: side }, () => frame.copy(columnsName, value));
  const values = columns.map((column): Expr => column.value);
  const [at, column, row, end] = [words.local(), words.local(), words.local(), words.local()];
  batch.enter(batchIndex);
  words.loop(row, firstRow, endRow, ROWS, () => {
    words.set(end, words.min(endRow, words.add(row, ROWS)));
    words.loop(column, firstColumn, endColumn, side, () => {
      columns.forEach(({ group }, i) => {
        const before = columns[i - 1]?.group;
        if (before === undefined) group.enter(column);
        else {
          group.follow(before);
          // At the end the last column again.
          words.when(words.isBelow(words.add(column, i), endColumn), () => group.step());
        }
      });
      rows.enter(row);
      words.set(at, words.add(target, words.mul(words.sub(column, firstColumn), bytes)));
      words.advance(at, words.mul(words.sub(row, firstRow), rowBytes));
      emitter.within([...batch.numbers, ...columns.flatMap(({ group }) => group.numbers)], () => {
        emitter.hoist(values, true);
        rows.runs(row, end, (runEnd) => emitter.within(rows.numbers.slice(0, -1), () => run(runEnd)));
      });
    });
  });
  return body.finish();

  /** Squares up to the end of a run. */
  function run(runEnd: Local): void {
    emitter.hoist(values, true);
    emitter.spread(values, last.number);
    const whole = words.let(words.sub(runEnd, side - 1));
    words.when(words.isBelow(last.index, whole), () =>
      words.repeat(
        () => emitter.withinLanes(last.number, undefined, square),
        words.isBelow(last.index, whole),
      ),
    );
    words.when(words.isBelow(last.index, runEnd), () =>
      emitter.withinLanes(last.number, runEnd.index, square),
    );
    // Back over the lanes that are not there.
    words.advance(at, words.mul(words.sub(runEnd, last.index), rowBytes));
    words.set(last.index, runEnd);
  }

  function square(): void {
    for (const push of transposed(values.map((e) => emitter.lanesOf(e)))) {
      words.push(at);
      push();
      body.simd(simd.store, 2, 0);
      words.advance(at, rowBytes);
    }
    words.advance(last.index, side);
  }

  /** What pushes the columns of a square of vectors. */
  function transposed(square: readonly number[]): (() => void)[] {
    const shuffle = (a: number, b: number, lanes: readonly number[], width: number): void => {
      body.get(a);
      body.get(b);
      const order = lanes.flatMap((lane) => Array.from({ length: width }, (_, i) => lane * width + i));
      body.simd(simd.shuffle, ...order.flatMap((byte) => unsigned(byte)));
    };
    const [a, b, c, d] = square as Four<number>;
    if (side === 2)
      return [
        [0, 2],
        [1, 3],
      ].map((lanes) => () => shuffle(a, b, lanes, 8));
    const [low1, high1, low2, high2] = square.map(() => body.local(V128)) as Four<number>;
    shuffle(a, b, [0, 4, 1, 5], 4);
    body.set(low1);
    shuffle(a, b, [2, 6, 3, 7], 4);
    body.set(high1);
    shuffle(c, d, [0, 4, 1, 5], 4);
    body.set(low2);
    shuffle(c, d, [2, 6, 3, 7], 4);
    body.set(high2);
    return [
      () => shuffle(low1, low2, [0, 2], 8),
      () => shuffle(low1, low2, [1, 3], 8),
      () => shuffle(high1, high2, [0, 2], 8),
      () => shuffle(high1, high2, [1, 3], 8),
    ];
  }
}

type Eight<T> = [T, T, T, T, T, T, T, T];
type Four<T> = [T, T, T, T];
