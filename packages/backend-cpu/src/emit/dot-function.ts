import { V128, type WasmFunction } from "../wasm/encode.js";
import { simd } from "../wasm/function-body.js";
import type { Callees } from "./callees.js";
import { bytesOfElement, ContractFrame, type Contraction } from "./contract-frame.js";
import { hasFusedMultiply } from "./fused-multiply.js";
import { instructionOf, typeOf } from "./instructions.js";
import { pushLane } from "./reduction.js";
import type { Local } from "./words.js";

/** Columns that are summed at once: enough that no addition waits for the one before. */
const COLUMNS = 4;

/**
 * The sums of a block: `(arguments, batch, first row, end, first column, end, sums, bytes of their row)`. The right
 * operand is dense along k, and both are multiplied as they lie, by vectors along k; for few rows, which packing would not pay for. It may
 * write three sums behind each row.
 */
export function dotFunction(kernel: Contraction, callees: Callees): WasmFunction {
  const { a, b, accumulate } = kernel;
  const frame = new ContractFrame(kernel, callees, 8, [], [a, b]);
  const { body, words, parameters, emitter, groups } = frame;
  const [, batchIndex, firstRow, endRow, firstColumn, endColumn, sums, sumsBytes] =
    parameters as unknown as Eight<Local>;
  const { batch, m, k } = groups;
  const bytes = bytesOfElement(accumulate);
  const columns = Array.from({ length: COLUMNS }, () => frame.copy("n", b));
  const values = columns.map(({ value }) => value);
  const roots = [a, ...values];
  const totals = columns.map(() => body.local(V128));
  const [add, multiply] = ["add", "mul"].map((name) => instructionOf(name, accumulate)) as [Pair, Pair];
  const isFused = accumulate !== "i32" && hasFusedMultiply();
  const [row, column, at] = [words.local(), words.local(), words.local()];
  const steps = words.let(k.count());

  batch.enter(batchIndex);
  words.loop(row, firstRow, endRow, 1, () => {
    m.enter(row);
    words.loop(column, firstColumn, endColumn, COLUMNS, () => {
      columns.forEach(({ group }, i) => {
        const before = columns[i - 1]?.group;
        if (before === undefined) group.enter(column);
        else {
          group.follow(before);
          // At the end the last column again.
          words.when(words.isBelow(words.add(column, i), endColumn), () => group.step());
        }
      });
      for (const total of totals) {
        body.constantVector(typeOf(accumulate), 0);
        body.set(total);
      }
      const bound = [...batch.numbers, ...m.numbers, ...columns.flatMap(({ group }) => group.numbers)];
      words.when(words.isBelow(0, steps), () =>
        emitter.within(bound, () => {
          k.enter(0);
          k.runs(0, steps, (end) => emitter.within(k.numbers.slice(0, -1), () => run(end)));
        }),
      );
      words.set(at, words.add(sums, words.mul(words.sub(column, firstColumn), bytes)));
      words.advance(at, words.mul(words.sub(row, firstRow), sumsBytes));
      for (const total of totals) {
        words.push(at);
        pushLane(body, accumulate, total, 0);
        for (let lane = 1; lane < emitter.lanes; lane++) {
          pushLane(body, accumulate, total, lane);
          body.put(add[0]);
        }
        body.store(typeOf(accumulate));
        words.advance(at, bytes);
      }
    });
  });
  return body.finish();

  /** Adds the products up to the end of a run. */
  function run(end: Local): void {
    const { last } = k;
    emitter.hoist(roots, true);
    emitter.spread(roots, last.number);
    const whole = words.let(words.sub(end, emitter.lanes - 1));
    words.when(words.isBelow(last.index, whole), () =>
      words.repeat(
        () => {
          emitter.withinLanes(last.number, undefined, products);
          words.advance(last.index, emitter.lanes);
        },
        words.isBelow(last.index, whole),
      ),
    );
    words.when(words.isBelow(last.index, end), () => emitter.withinLanes(last.number, end.index, products));
  }

  function products(): void {
    const filled = (e: (typeof roots)[number]): number => {
      const local = body.local(V128);
      emitter.pushFilled(e, 0);
      body.set(local);
      return local;
    };
    const [left, ...rights] = roots.map(filled) as [number, ...number[]];
    totals.forEach((total, i) => {
      const right = rights[i] as number;
      if (!isFused) body.get(total);
      body.get(left);
      body.get(right);
      if (isFused) {
        body.get(total);
        body.simd(accumulate === "f64" ? simd.fusedF64 : simd.fusedF32);
      } else {
        body.simd(multiply[1]);
        body.simd(add[1]);
      }
      body.set(total);
    });
  }
}

type Pair = readonly [scalar: number, vector: number];
type Eight<T> = [T, T, T, T, T, T, T, T];
