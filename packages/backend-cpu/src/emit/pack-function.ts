import type { ContractKernel, Expr } from "@gradus/core";
import type { WasmFunction } from "../wasm/encode.js";
import { simd } from "../wasm/function-body.js";
import type { Callees } from "./callees.js";
import { bytesOfElement, ContractFrame, type GroupName } from "./contract-frame.js";
import type { Local } from "./words.js";

/**
 * Computes an operand to dense rows: `(arguments, batch, first row, end, first column, end, target, bytes of a row)`, where a
 * row is a position of one group of axes and a column of another. It may write one vector less one element behind each row.
 *
 * Vectors run along the columns' last axis.
 */
export function packFunction(
  kernel: ContractKernel,
  callees: Callees,
  value: Expr,
  rowsName: GroupName,
  columnsName: GroupName,
): WasmFunction {
  const { body, words, parameters, emitter, groups } = new ContractFrame(kernel, callees, 8, [], [value]);
  const [, batchIndex, firstRow, endRow, firstColumn, endColumn, target, rowBytes] =
    parameters as Eight<Local>;
  const { batch, [rowsName]: rows, [columnsName]: columns } = groups;
  const { last } = columns;
  const leading = columns.numbers.slice(0, -1);
  const step = emitter.lanes * bytesOfElement(value.dtype);
  const at = words.local();
  const row = words.local();
  batch.enter(batchIndex);
  emitter.within(batch.numbers, () => {
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
            emitter.spread([value], last.number);
            const store = (): void => {
              // What the address needs is computed before it.
              const vector = emitter.lanesOf(value);
              words.push(at);
              body.get(vector);
              body.simd(emitter.lanes === 2 && value.dtype !== "f64" ? simd.store64Lane : simd.store, 2, 0);
              if (emitter.lanes === 2 && value.dtype !== "f64") body.put(0);
              words.advance(at, step);
              words.advance(last.index, emitter.lanes);
            };
            const whole = words.let(words.sub(end, emitter.lanes - 1));
            words.when(words.isBelow(last.index, whole), () =>
              words.repeat(
                () => emitter.withinLanes(last.number, undefined, store),
                words.isBelow(last.index, whole),
              ),
            );
            words.when(words.isBelow(last.index, end), () =>
              emitter.withinLanes(last.number, end.index, store),
            );
            // Back over the lanes that are not there.
            words.advance(at, words.mul(words.sub(end, last.index), bytesOfElement(value.dtype)));
          });
        });
        words.advance(target, rowBytes);
        rows.step();
      });
    });
  });
  return body.finish();
}

type Eight<T> = [T, T, T, T, T, T, T, T];
