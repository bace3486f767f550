import { V128, type WasmFunction } from "../wasm/encode.js";
import { simd } from "../wasm/function-body.js";
import type { Callees } from "./callees.js";
import { bytesOfElement, ContractFrame, type Contraction } from "./contract-frame.js";
import type { Local } from "./words.js";

/**
 * Writes what is made of a block of sums: `(arguments, batch, first row, end, first column, end, sums, bytes of their row,
 * pitch)`.
 */
export function writeFunction(kernel: Contraction, callees: Callees): WasmFunction {
  const { accumulate, writes } = kernel;
  const roots = writes.flatMap(({ index, value }) => [index, value]);
  const targets = writes.map(({ buffer }) => buffer);
  const lanes = accumulate === "f64" ? 2 : undefined;
  const { body, words, parameters, emitter, groups, pitch } = new ContractFrame(
    kernel,
    callees,
    9,
    [],
    roots,
    targets,
    lanes,
  );
  const [, batchIndex, firstRow, endRow, firstColumn, endColumn, sums, sumsBytes, ownPitch] =
    parameters as Nine<Local>;
  if (pitch !== undefined) words.set(pitch, ownPitch);
  const { batch, m, n } = groups;
  const { last } = n;
  const isHalf = emitter.lanes === 2 && accumulate !== "f64";
  const [at, row] = [words.local(), words.local()];
  const sum = body.local(V128);

  const point = (): void => {
    words.push(at);
    body.simd(isHalf ? simd.load64Zero : simd.load, 2, 0);
    if (accumulate === "bool") {
      body.constantVector(0x7f, 0);
      body.simd(simd.neI32);
    }
    body.set(sum);
    emitter.setStage(0, sum, true);
    for (const { value } of writes) emitter.vector(value);
    // An index may read what another write overwrites.
    for (const { index } of writes) {
      if (emitter.isDense(index)) emitter.number(index);
      else emitter.vector(index);
    }
    for (const { buffer, index, value } of writes) emitter.store(kernel.inputs.length + buffer, index, value);
    emitter.clearStages();
    words.advance(at, emitter.lanes * bytesOfElement(accumulate));
  };

  batch.enter(batchIndex);
  emitter.within(batch.numbers, () => {
    emitter.hoist(roots, true);
    m.enter(firstRow);
    n.enter(firstColumn);
    const toFirstColumn = n.save();
    words.loop(row, firstRow, endRow, 1, () => {
      emitter.within(m.numbers, () => {
        emitter.hoist(roots, true);
        toFirstColumn();
        n.runs(firstColumn, endColumn, (end, position) => {
          words.set(
            at,
            words.add(sums, words.mul(words.sub(position, firstColumn), bytesOfElement(accumulate))),
          );
          emitter.within(n.numbers.slice(0, -1), () => {
            emitter.hoist(roots, true);
            emitter.spread(roots, last.number);
            const whole = words.let(words.sub(end, emitter.lanes - 1));
            words.when(words.isBelow(last.index, whole), () =>
              words.repeat(
                () => {
                  emitter.withinLanes(last.number, undefined, point);
                  words.advance(last.index, emitter.lanes);
                },
                words.isBelow(last.index, whole),
              ),
            );
            words.when(words.isBelow(last.index, end), () =>
              emitter.withinLanes(last.number, end.index, point),
            );
          });
        });
        words.advance(sums, sumsBytes);
        m.step();
      });
    });
  });
  return body.finish();
}

type Nine<T> = [T, T, T, T, T, T, T, T, T];
