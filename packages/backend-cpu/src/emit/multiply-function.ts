import { type DType, dependsOnAxis, type Expr } from "@gradus/core";
import { I32, type WasmFunction } from "../wasm/encode.js";
import type { Callees } from "./callees.js";
import { axesOf, bytesOfElement, ContractFrame, type Contraction } from "./contract-frame.js";
import type { InPlace, Operand } from "./operand.js";
import { TILE_VECTORS, tileRows } from "./tile-function.js";
import type { Local, Word } from "./words.js";

/** Columns of a block, whose sums stay in the cache from the first product to what is written of them. */
const COLUMNS_BYTES = 512;
/** Rows of a block, about. */
const ROWS = 64;
/** Steps along k for which a tile's columns of b stay in the first cache. */
const STEPS = 256;
/** Steps along k that are packed at a time. */
const PACKED_STEPS = 2048;
/** Between packed rows: so that they do not all fall into one set of the cache. */
const GAP_BYTES = 64;

/** How a contraction is cut, and the memory that takes. */
export interface Blocking {
  readonly columns: number;
  readonly rows: number;
  /** Bytes for the part of one thread: `fixed + perStep * min(k, PACKED_STEPS)`. */
  readonly fixed: number;
  readonly perStep: number;
}

export function blockingOf(dtype: DType, left: Operand): Blocking {
  const bytes = bytesOfElement(dtype);
  const columns = COLUMNS_BYTES / bytes;
  const tile = tileRows(dtype);
  const rows = Math.round(ROWS / tile) * tile;
  const rightRow = COLUMNS_BYTES + GAP_BYTES;
  const alongK = left.columns === "k";
  // A few rows more: what packing may write behind the last one.
  const fixed = rows * COLUMNS_BYTES + 4 * rightRow + (alongK ? (rows + 1) * GAP_BYTES : 0) + 1024;
  const perStep = rightRow + (alongK ? rows * bytes : rows * bytes + GAP_BYTES);
  return { columns, rows, fixed, perStep };
}

export function packedSteps(k: number): number {
  return Math.min(k, PACKED_STEPS);
}

/** Which functions of the module do what. */
export interface Parts {
  readonly packLeft: number;
  /** At least one of these two; of both the better one for the sizes. */
  readonly packRight?: number;
  readonly transposeRight?: number;
  readonly write: number;
  /** The function for a tile of so many rows and vectors. */
  tile(rows: number, vectors: number): number;
}

/**
 * The function of a phase: all of a contraction, or a part of its blocks. A block of columns is taken with all blocks of
 * rows, one after another, so that its b is packed once.
 */
export function multiplyFunction(
  kernel: Contraction,
  callees: Callees,
  left: Operand,
  right: Operand,
  parts: Parts,
): WasmFunction {
  const { accumulate, inputs, outputs } = kernel;
  const expressionsOf = ({ inPlace }: Operand): Expr[] =>
    inPlace === undefined ? [] : [inPlace.load, inPlace.start, inPlace.row, inPlace.column];
  const roots = [...expressionsOf(left), ...expressionsOf(right)];
  const frame = new ContractFrame(kernel, callees, 3, [I32], roots);
  const { words: w, emitter, groups, leaves } = frame;
  const [args, part, count] = frame.parameters as [Local, Local, Local];
  const bytes = bytesOfElement(accumulate);
  const lanes = 16 / bytes;
  const tileColumns = TILE_VECTORS * lanes;
  const tile = tileRows(accumulate);
  const blocking = blockingOf(accumulate, left);

  const [batch, m, n, k] = (["batch", "m", "n", "k"] as const).map((name) => w.let(groups[name].count())) as [
    Local,
    Local,
    Local,
    Local,
  ];
  const scratchWord = inputs.length + outputs.length + leaves.sizes.length;
  const chunk = w.let(w.min(k, PACKED_STEPS));
  const partBytes = w.and(w.add(blocking.fixed, w.mul(chunk, blocking.perStep)), -64);
  const sums = w.let(w.add(w.at(args, 4 * scratchWord), w.mul(part, partBytes)));
  const rightScratch = w.let(w.add(sums, blocking.rows * COLUMNS_BYTES));
  const leftScratch = w.let(w.add(rightScratch, w.mul(w.add(chunk, 4), COLUMNS_BYTES + GAP_BYTES)));

  // How many blocks: more where there are several threads.
  const [rowBlocks, columnBlocks, rows, columns] = [w.local(), w.local(), w.local(), w.local()];
  w.set(rowBlocks, w.divUp(m, blocking.rows));
  w.set(columnBlocks, w.divUp(n, blocking.columns));
  w.when(w.isBelow(1, count), () => {
    const wanted = w.let(w.mul(count, 2));
    w.when(w.isBelow(w.mul(batch, rowBlocks, columnBlocks), wanted), () => {
      const most = w.let(w.divUp(n, 2 * tileColumns));
      const missing = w.let(w.divUp(wanted, w.max(1, w.mul(batch, rowBlocks))));
      w.set(columnBlocks, w.max(columnBlocks, w.min(most, missing)));
    });
    w.when(w.isBelow(w.mul(batch, rowBlocks, columnBlocks), wanted), () => {
      const most = w.let(w.divUp(m, tile));
      const missing = w.let(w.divUp(wanted, w.max(1, w.mul(batch, columnBlocks))));
      w.set(rowBlocks, w.max(rowBlocks, w.min(most, missing)));
    });
  });
  w.when(w.isBelow(0, w.mul(batch, w.mul(w.min(m, 1), w.min(n, 1)))), () => {
    w.set(rows, w.mul(w.divUp(w.divUp(m, rowBlocks), tile), tile));
    w.set(columns, w.roundUp(w.divUp(n, columnBlocks), tileColumns));
    w.set(rowBlocks, w.divUp(m, rows));
    w.set(columnBlocks, w.divUp(n, columns));
    blocks();
  });
  w.push(0);
  return frame.body.finish();

  function blocks(): void {
    const perBatch = w.let(w.mul(rowBlocks, columnBlocks));
    const all = w.let(w.mul(batch, perBatch));
    // Parts of blocks in order; 64 bits are not needed, since a launch has fewer.
    const first = w.let(w.div(w.mul(all, part), count));
    const end = w.let(w.div(w.mul(all, w.add(part, 1)), count));
    const block = w.local();
    const [batchIndex, firstRow, endRow, firstColumn, endColumn] = five(() => w.local());
    const [packedBlock, packedRows] = [w.let(-1), w.let(-1)];
    const [ownBlock, ownRows] = [w.local(), w.local()];
    const isBatched = axesOf(kernel, "batch").some((axis) => dependsOnAxis(right.value, axis));
    w.loop(block, first, end, 1, () => {
      w.set(batchIndex, w.div(block, perBatch));
      w.set(firstColumn, w.div(w.remainder(block, perBatch), rowBlocks));
      w.set(ownBlock, isBatched ? w.div(block, rowBlocks) : firstColumn);
      w.set(ownRows, w.add(w.mul(batchIndex, rowBlocks), w.remainder(block, rowBlocks)));
      w.set(firstColumn, w.mul(firstColumn, columns));
      w.set(endColumn, w.min(n, w.add(firstColumn, columns)));
      w.set(firstRow, w.mul(w.remainder(block, rowBlocks), rows));
      w.set(endRow, w.min(m, w.add(firstRow, rows)));
      groups.batch.enter(batchIndex);
      emitter.within(groups.batch.numbers, () => {
        const a = originOf(left, { batchIndex, first: firstRow, end: endRow, packed: leftScratch });
        const b = originOf(right, { batchIndex, first: firstColumn, end: endColumn, packed: rightScratch });
        chunks(a, b, { batchIndex, firstRow, endRow, firstColumn, endColumn });
      });
      w.call(parts.write, args, batchIndex, firstRow, endRow, firstColumn, endColumn, sums, COLUMNS_BYTES);
      w.set(packedBlock, ownBlock);
      w.set(packedRows, ownRows);
    });

    interface Range {
      readonly batchIndex: Local;
      readonly first: Local;
      readonly end: Local;
      readonly packed: Local;
    }

    /** Where an operand of this block is, for steps from `firstStep` on. */
    interface Origin {
      readonly address: Local;
      /** Strides in bytes. */
      readonly outer: Local;
      readonly step: Local;
      /** Sets the address, and packs what is not read in place. */
      prepare(firstStep: Local, endStep: Local): void;
    }

    function originOf(operand: Operand, { batchIndex, first, end, packed }: Range): Origin {
      const [address, outer, step] = [w.local(), w.local(), w.local()];
      const isLeft = operand === left;
      const { inPlace } = operand;
      const isPacked = inPlace === undefined ? undefined : w.let(mustPack(isLeft, inPlace));
      const rowBytes = w.let(
        isLeft && operand.columns === "k"
          ? w.add(w.mul(chunk, bytes), GAP_BYTES)
          : isLeft
            ? blocking.rows * bytes + GAP_BYTES
            : w.add(w.mul(w.roundUp(columns, 16), bytes), GAP_BYTES),
      );
      const pack = (firstStep: Local, endStep: Local): void => {
        w.set(address, packed);
        const stepsAreRows = operand.rows === "k";
        w.set(step, stepsAreRows ? rowBytes : bytes);
        w.set(outer, stepsAreRows ? bytes : rowBytes);
        const own = [first, end];
        const steps = [firstStep, endStep];
        const callOne = (index: number): void => {
          const ranges = stepsAreRows ? [...steps, ...own] : [...own, ...steps];
          w.call(index, args, batchIndex, ...ranges, packed, rowBytes);
        };
        const { packLeft, packRight, transposeRight } = parts;
        const call = (): void => {
          if (isLeft) callOne(packLeft);
          else if (packRight === undefined || transposeRight === undefined) {
            callOne((packRight ?? transposeRight) as number);
          } else {
            // Along the axis that has the longer runs.
            w.when(
              w.isBelow(groups.n.last.size, groups.k.last.size),
              () => callOne(transposeRight),
              () => callOne(packRight),
            );
          }
        };
        // Not if it still is there from the block before.
        const isNew = isLeft ? w.isNot(packedRows, ownRows) : w.isNot(packedBlock, ownBlock);
        w.when(w.and(w.isBelow(firstStep, endStep), w.or(isNew, w.isBelow(PACKED_STEPS, k))), call);
      };
      const locate = (place: InPlace, firstStep: Local): void => {
        const [row, column] = [place.row, place.column].map((stride) =>
          w.let(w.mul(() => emitter.pushNumber(stride), bytes)),
        ) as [Local, Local];
        w.set(outer, isLeft ? row : column);
        w.set(step, isLeft ? column : row);
        emitter.pushAddress(place.load.buffer, place.load.dtype, () => emitter.pushNumber(place.start));
        w.body.set(address.index);
        w.advance(address, w.add(w.mul(first, outer), w.mul(firstStep, step)));
      };
      return {
        address,
        outer,
        step,
        prepare(firstStep, endStep) {
          if (inPlace === undefined || isPacked === undefined) {
            pack(firstStep, endStep);
            return;
          }
          w.when(
            isPacked,
            () => pack(firstStep, endStep),
            // What is computed in a branch is not known after it.
            () => emitter.scope(() => locate(inPlace, firstStep)),
          );
        },
      };
    }

    interface Block {
      readonly batchIndex: Local;
      readonly firstRow: Local;
      readonly endRow: Local;
      readonly firstColumn: Local;
      readonly endColumn: Local;
    }

    /** All steps along k, as many at a time as are packed. */
    function chunks(a: Origin, b: Origin, { firstRow, endRow, firstColumn, endColumn }: Block): void {
      const [from, to, step, stepEnd, steps] = five(() => w.local());
      const [ownRows, ownColumns] = [w.let(w.sub(endRow, firstRow)), w.let(w.sub(endColumn, firstColumn))];
      w.set(from, 0);
      w.repeat(
        () => {
          w.set(to, w.min(k, w.add(from, PACKED_STEPS)));
          b.prepare(from, to);
          a.prepare(from, to);
          // Equal shares, since a short last one would pay for reading and writing the sums again.
          const share = w.let(w.max(1, w.divUp(w.sub(to, from), w.max(1, w.divUp(w.sub(to, from), STEPS)))));
          w.set(step, from);
          w.repeat(
            () => {
              w.set(stepEnd, w.min(to, w.add(step, share)));
              w.set(steps, w.sub(stepEnd, step));
              tiles(a, b, { from, step, steps, ownRows, ownColumns });
              w.set(step, stepEnd);
            },
            w.isBelow(step, to),
          );
          w.set(from, to);
        },
        w.isBelow(from, k),
      );
    }

    interface Steps {
      readonly from: Local;
      readonly step: Local;
      readonly steps: Local;
      readonly ownRows: Local;
      readonly ownColumns: Local;
    }

    function tiles(a: Origin, b: Origin, { from, step, steps, ownRows, ownColumns }: Steps): void {
      const isNew = w.let(w.isEqual(step, 0));
      const [column, row] = [w.local(), w.local()];
      const [aAt, bAt, cAt] = [w.local(), w.local(), w.local()];
      const offset = w.let(w.sub(step, from));
      const aStart = w.let(w.add(a.address, w.mul(offset, a.step)));
      const left = w.local();
      const strip = (vectors: number): void => {
        const call = (height: number): void => {
          w.call(
            parts.tile(height, vectors),
            aAt,
            bAt,
            cAt,
            steps,
            a.outer,
            a.step,
            b.step,
            COLUMNS_BYTES,
            isNew,
          );
        };
        w.set(aAt, aStart);
        w.set(bAt, w.add(b.address, w.add(w.mul(offset, b.step), w.mul(column, bytes))));
        w.set(cAt, w.add(sums, w.mul(column, bytes)));
        w.loop(row, 0, w.sub(ownRows, tile - 1), tile, () => {
          call(tile);
          w.advance(aAt, w.mul(a.outer, tile));
          w.advance(cAt, tile * COLUMNS_BYTES);
        });
        w.set(left, w.sub(ownRows, row));
        for (let height = 1; height < tile; height++) w.when(w.isEqual(left, height), () => call(height));
      };
      w.set(column, 0);
      w.repeat(
        () => {
          w.when(
            w.isBelow(w.sub(ownColumns, column), lanes + 1),
            () => strip(1),
            () => strip(2),
          );
          w.advance(column, tileColumns);
        },
        w.isBelow(column, ownColumns),
      );
    }
  }

  /** Whether an operand that could be read in place had better be packed. */
  function mustPack(isLeft: boolean, { column }: InPlace): Word {
    if (!isLeft) return w.isBelow(PACK_RIGHT_ABOVE, m);
    return column.kind === "const" && column.value === 1 ? w.isBelow(PACK_LEFT_ABOVE, k) : w.isBelow(64, k);
  }
}

const PACK_RIGHT_ABOVE = 16;
const PACK_LEFT_ABOVE = 1 << 20;

function five<T>(make: () => T): [T, T, T, T, T] {
  return [make(), make(), make(), make(), make()];
}
