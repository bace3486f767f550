import { constant, type Expr, type LoadExpr } from "@gradus/core";
import type { WasmFunction } from "../wasm/encode.js";
import { simd } from "../wasm/function-body.js";
import type { Callees } from "./callees.js";
import { bytesOfElement, ContractFrame, type Contraction } from "./contract-frame.js";
import { type GuardRange, guardRange } from "./guard-range.js";
import { Lowering } from "./lower.js";
import type { Operand } from "./operand.js";
import { reachOf } from "./sliding.js";
import type { Local, Word } from "./words.js";

/**
 * Computes an operand to dense rows: `(arguments, batch, first row, end, first column, end, target, bytes of a row, overlaps)`, where a
 * row is a position of one group of axes and a column of another. It may write one vector less one element behind each row.
 * Of an operand that slides, rows are positions of all but the last axis, and as long as all that they are moved over; with
 * `overlaps` of all but the last two.
 *
 * Vectors run along the columns' last axis.
 */
export function packFunction(
  kernel: Contraction,
  callees: Callees,
  { value, columns: columnsName, sliding }: Operand,
): WasmFunction {
  const { body, words, parameters, emitter, groups } = new ContractFrame(kernel, callees, 9, [], [value]);
  const [, batchIndex, firstRow, endRow, firstColumn, endColumn, target, rowBytes, overlaps] =
    parameters as Nine<Local>;
  const { batch } = groups;
  let [rows, columns] = [groups.k, groups[columnsName]];
  if (sliding !== undefined) {
    columns = columns.resized(words.let(words.add(columns.last.size, reachOf(words, rows, sliding))));
    rows = rows.leading();
    // What overlaps is packed for the first step along this axis too.
    if (sliding.rows !== undefined) rows = rows.resized(words.let(words.choose(overlaps, 1, rows.last.size)));
  }
  const { last } = columns;
  const leading = columns.numbers.slice(0, -1);
  // Sliding rows are those of the first step along the last axis.
  const bound = sliding === undefined ? batch.numbers : [...batch.numbers, groups.k.last.number];
  const at = words.local();
  const row = words.local();
  const unguarded = value.kind === "load" && value.guard !== undefined ? withoutGuard(value) : undefined;
  const range =
    value.kind === "load" && value.guard !== undefined ? guardRange(value.guard, last.number) : undefined;
  const lowering = new Lowering();
  batch.enter(batchIndex);
  emitter.within(bound, () => {
    emitter.hoist([value], true);
    rows.enter(firstRow);
    columns.enter(firstColumn);
    const toFirstColumn = columns.save();
    words.loop(row, firstRow, endRow, 1, () => {
      emitter.within(rows.numbers, () => {
        emitter.hoist([value], true);
        toFirstColumn();
        words.set(at, target);
        columns.runs(firstColumn, endColumn, (end) => {
          emitter.within(leading, () => {
            emitter.hoist([value], true);
            if (range === undefined) vectors(value, end);
            else ranges(range, end);
          });
        });
        words.advance(target, rowBytes);
        rows.step();
      });
    });
  });
  return body.finish();

  /** Stores the values up to `end`, a vector at a time, and goes there. */
  function vectors(what: Expr, end: Local): void {
    const store = (): void => {
      // What the address needs is computed before it.
      const vector = emitter.lanesOf(what);
      words.push(at);
      body.get(vector);
      if (emitter.lanes === 2 && what.dtype !== "f64") body.simd(simd.store64Lane, 2, 0, 0);
      else body.simd(simd.store, 2, 0);
      words.advance(at, emitter.lanes * bytesOfElement(what.dtype));
      words.advance(last.index, emitter.lanes);
    };
    emitter.scope(() => {
      emitter.spread([what], last.number);
      const whole = words.let(words.sub(end, emitter.lanes - 1));
      words.when(words.isBelow(last.index, whole), () =>
        words.repeat(
          () => emitter.withinLanes(last.number, undefined, store),
          words.isBelow(last.index, whole),
        ),
      );
      words.when(words.isBelow(last.index, end), () => emitter.withinLanes(last.number, end.index, store));
    });
    // Back over the lanes that are not there.
    words.advance(at, words.mul(words.sub(end, last.index), bytesOfElement(what.dtype)));
    words.set(last.index, end);
  }

  /** As `vectors` for a load with a guard: before, within and behind the range where it holds. */
  function ranges({ conditions, from, to }: GuardRange, end: Local): void {
    const guarded = value as LoadExpr;
    const fill = constant(guarded.fill ?? 0, guarded.dtype);
    const [low, high] = [words.let(last.index), words.let(end)];
    const number = (e: Expr): Word => {
      const lowered = lowering.lower(e);
      return () => emitter.pushNumber(lowered);
    };
    for (const edge of from) words.set(low, words.max(low, words.let(number(edge))));
    for (const edge of to) words.set(high, words.min(high, words.let(number(edge))));
    for (const condition of conditions) words.set(high, words.choose(number(condition), high, low));
    words.set(low, words.min(low, end));
    words.when(words.isBelow(last.index, low), () => vectors(fill, low));
    words.when(words.isBelow(last.index, high), () => vectors(unguarded as Expr, high));
    words.when(words.isBelow(last.index, end), () => vectors(fill, end));
  }
}

function withoutGuard({ kind, buffer, dtype, index }: LoadExpr): LoadExpr {
  return { kind, buffer, dtype, index };
}

type Nine<T> = [T, T, T, T, T, T, T, T, T];
