import type { LoadExpr } from "@gradus/core";
import { unsigned, V128, type WasmFunction } from "../wasm/encode.js";
import { simd } from "../wasm/function-body.js";
import type { Callees } from "./callees.js";
import { bytesOfElement, ContractFrame, type Contraction, type GroupName } from "./contract-frame.js";
import type { Local } from "./words.js";

/**
 * As `packFunction` for an operand that is a load, dense along the last axis of the rows: square blocks are loaded along the
 * rows and transposed in registers. It may write up to three rows and, in each, three elements more.
 */
export function packTransposedFunction(
  kernel: Contraction,
  callees: Callees,
  { buffer, dtype, index }: LoadExpr,
  rowsName: GroupName,
  columnsName: GroupName,
): WasmFunction {
  const { body, words, parameters, emitter, groups } = new ContractFrame(
    kernel,
    callees,
    8,
    [],
    [{ kind: "load", buffer, dtype, index }],
  );
  const [, batchIndex, firstRow, endRow, firstColumn, endColumn, target, rowBytes] =
    parameters as Eight<Local>;
  const { batch, [rowsName]: rows, [columnsName]: columns } = groups;
  const side = dtype === "f64" ? 2 : 4;
  const bytes = bytesOfElement(dtype);
  const sources = Array.from({ length: side }, () => words.local());
  const [at, column, row] = [words.local(), words.local(), words.local()];
  const loaded = Array.from({ length: side }, () => body.local(V128));
  batch.enter(batchIndex);
  rows.enter(firstRow);
  columns.enter(firstColumn);
  const toFirstColumn = columns.save();
  rows.runs(firstRow, endRow, (runEnd) => {
    toFirstColumn();
    words.loop(column, firstColumn, endColumn, side, () => {
      sources.forEach((source, i) => {
        emitter.within([...batch.numbers, ...rows.numbers, ...columns.numbers], () => {
          emitter.pushAddress(buffer, dtype, () => emitter.pushNumber(index));
          body.set(source.index);
        });
        // At the end the last column again.
        words.when(words.isBelow(words.add(column, i + 1), endColumn), () => columns.step());
      });
      words.set(at, words.add(target, words.mul(words.sub(column, firstColumn), bytes)));
      words.loop(row, rows.last.index, runEnd, side, () => {
        sources.forEach((source, i) => {
          words.push(source);
          body.simd(simd.load, 2, 0);
          body.set(loaded[i] as number);
          words.advance(source, 16);
        });
        for (const push of transposed(loaded)) {
          words.push(at);
          push();
          body.simd(simd.store, 2, 0);
          words.advance(at, rowBytes);
        }
      });
    });
    words.advance(target, words.mul(words.sub(runEnd, rows.last.index), rowBytes));
  });
  return body.finish();

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
