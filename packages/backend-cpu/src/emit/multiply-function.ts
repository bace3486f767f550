import { type DType, dependsOnAxis, type Expr } from "@gradus/core";
import { I32, type WasmFunction } from "../wasm/encode.js";
import type { Callees } from "./callees.js";
import { bytesOfElement, ContractFrame, type Contraction } from "./contract-frame.js";
import type { InPlace, Operand } from "./operand.js";
import { reachOf, type Sliding } from "./sliding.js";
import { ROW_VECTORS, TILE_VECTORS, tileRows } from "./tile-function.js";
import { Local, type Word } from "./words.js";

/** Columns of a block, whose sums stay in the cache from the first product to what is written of them. */
const COLUMNS_BYTES = 512;
/** Rows of a block, about. */
const ROWS = 64;
/** Steps along k for which a tile's columns of b stay in the first cache. */
const STEPS = 256;
/** The same of a single row: its sums have the place of all, and few steps at a time read b in the order of memory. */
const ROW_COLUMNS_BYTES = 16384;
const ROW_STEPS = 32;
/** Steps along k that are packed at a time. */
const PACKED_STEPS = 2048;
/** Between packed rows: so that they do not all fall into one set of the cache. */
const GAP_BYTES = 64;

/** How a contraction is cut, and the memory that takes. */
export interface Blocking {
  readonly columns: number;
  readonly rows: number;
  /** Bytes for the part of one thread: so many, and for each step along k that is packed at a time. */
  readonly fixed: number;
  readonly leftStep: number;
  readonly rightStep: number;
}

export function blockingOf(dtype: DType): Blocking {
  const bytes = bytesOfElement(dtype);
  const columns = COLUMNS_BYTES / bytes;
  const tile = tileRows(dtype);
  const rows = Math.round(ROWS / tile) * tile;
  const rightStep = COLUMNS_BYTES + GAP_BYTES;
  const leftStep = rows * bytes + GAP_BYTES;
  // A few rows more: what packing may write behind the last one.
  const fixed = rows * COLUMNS_BYTES + 4 * (rightStep + leftStep) + 1024;
  return { columns, rows, fixed, leftStep, rightStep };
}

/** Bytes of scratch memory for a part. */
export function partBytes(
  { fixed, leftStep, rightStep }: Blocking,
  k: number,
  lastOfK: number,
  sliding: Sliding | undefined,
): number {
  if (sliding === undefined) return fixed + (leftStep + rightStep) * Math.min(k, PACKED_STEPS);
  const row = rightStep + 8 * (lastOfK - 1) * sliding.shift;
  return fixed + (leftStep + 4) * k + Math.ceil(k / lastOfK) * row;
}

/** What packs an operand: at least one of these two; of both the better one for the sizes. */
export interface Packing {
  readonly straight?: number;
  readonly transposing?: number;
}

/** Which functions of the module do what. */
export interface Parts {
  readonly write: number;
  /** Sums a block: `dot` whole, the others tile by tile. */
  readonly dot?: number;
  readonly tiled?: TiledParts;
}

export interface TiledParts {
  readonly packLeft: Packing;
  readonly packRight: Packing;
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
  const { sliding } = right;
  const slidingExpressions = [
    ...(sliding?.inPlace === undefined ? [] : [sliding.load, ...Object.values(sliding.inPlace)]),
    ...(sliding?.rows?.strides ?? []),
  ];
  const roots = [...expressionsOf(left), ...expressionsOf(right), ...slidingExpressions];
  const frame = new ContractFrame(kernel, callees, 3, [I32], roots);
  const { words: w, emitter, groups, leaves } = frame;
  const [args, part, count] = frame.parameters as [Local, Local, Local];
  const bytes = bytesOfElement(accumulate);
  const lanes = 16 / bytes;
  const tileColumns = TILE_VECTORS * lanes;
  const tile = tileRows(accumulate);
  const blocking = blockingOf(accumulate);

  const reach = sliding && w.let(reachOf(w, groups.k, sliding));
  const isSlidingPacked = sliding && reach && w.let(1);
  if (frame.pitch !== undefined && isSlidingPacked !== undefined) choosePitch(frame.pitch, isSlidingPacked);
  const [batch, m, n, k] = (["batch", "m", "n", "k"] as const).map((name) => w.let(groups[name].count())) as [
    Local,
    Local,
    Local,
    Local,
  ];
  const scratchWord = inputs.length + outputs.length + leaves.sizes.length;
  // What slides is packed for all steps.
  const most = sliding === undefined ? PACKED_STEPS : 2 ** 30;
  const chunk = w.let(w.min(k, most));
  const rightRow = w.let(w.add(blocking.rightStep, reach === undefined ? 0 : w.mul(reach, 8)));
  const rightRows = sliding === undefined ? chunk : w.let(w.div(k, w.max(1, groups.k.last.size)));
  const rightBytes = w.let(w.mul(rightRows, rightRow));
  /** How many columns a row has more, because rows of positions overlap; 0 if they do not. */
  const overlap = sliding?.rows && w.let(overlapOf(sliding.rows));
  if (overlap !== undefined) {
    w.advance(rightRow, w.mul(overlap, bytes));
    w.when(overlap, () => w.set(rightRows, w.div(rightRows, kernelRows())));
  }
  const tableBytes = sliding === undefined ? 0 : w.let(w.mul(k, 4));
  const ownBytes = w.add(blocking.fixed, w.mul(chunk, blocking.leftStep), rightBytes, tableBytes);
  const sums = w.let(w.add(w.at(args, 4 * scratchWord), w.mul(part, w.and(ownBytes, -64))));
  const rightScratch = w.let(w.add(sums, blocking.rows * COLUMNS_BYTES));
  const leftScratch = w.let(w.add(rightScratch, w.add(rightBytes, 4 * blocking.rightStep)));
  // The offsets of steps along k, behind all else.
  const table = w.let(w.and(w.sub(w.add(sums, ownBytes), w.add(tableBytes, 64)), -16));

  const chunkSteps = w.local();
  // How many blocks: more where there are several threads.
  const [rowBlocks, columnBlocks, rows, columns] = [w.local(), w.local(), w.local(), w.local()];
  w.set(rowBlocks, w.divUp(m, blocking.rows));
  // A row alone that is multiplied in place is taken whole: so memory is read in order.
  const isRow = w.let(right.inPlace === undefined ? 0 : w.isEqual(m, 1));
  w.set(columnBlocks, w.divUp(n, w.choose(isRow, ROW_COLUMNS_BYTES / bytes, blocking.columns)));
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
    // What no other block of rows reads again need not be kept: its place stays in the cache.
    w.set(chunkSteps, sliding === undefined ? w.choose(w.isEqual(rowBlocks, 1), STEPS, most) : most);
    if (sliding !== undefined) listOffsets(sliding);
    blocks();
  });
  w.push(0);
  return frame.body.finish();

  /** Decides whether what slides is read in place. */
  function choosePitch(pitch: Local, isPacked: Local): void {
    const { size } = groups.n.last;
    const span = w.let(w.add(size, reach as Local));
    w.set(pitch, span);
    if (sliding?.inPlace === undefined) return;
    const { inPlace } = sliding;
    const isSingle = kernel.axes.n.length === 1;
    const own = w.let(isSingle ? span : () => emitter.pushNumber(inPlace.pitch));
    // Where rows of positions are far apart, most would be computed for nothing.
    w.set(isPacked, w.or(w.isBelow(own, size), w.isBelow(w.mul(span, 2), own)));
    w.when(
      isPacked,
      () => {},
      () => w.set(pitch, own),
    );
  }

  /** The size of the axis of k before the last. */
  function kernelRows(): Local {
    return new Local(leaves.sizes[kernel.axes.k.at(-2) as number] as number);
  }

  function overlapOf({ shift, strides }: NonNullable<Sliding["rows"]>): Word {
    const [row, step] = strides.map((stride) => w.let(() => emitter.pushNumber(stride))) as [Local, Local];
    const isInStep = w.isEqual(step, w.mul(row, shift));
    const moved = w.let(w.mul(frame.pitch as Local, shift));
    const isShort = w.isBelow(moved, blocking.columns + 1);
    return w.choose(w.and(isInStep, isShort), w.mul(moved, w.sub(kernelRows(), 1)), 0);
  }

  function listOffsets({ shift, inPlace, rows }: Sliding): void {
    const [step, at] = [w.local(), w.let(table)];
    const { last } = groups.k;
    groups.k.enter(0);
    w.loop(step, 0, k, 1, () => {
      const store = (word: Word): void => {
        w.push(at);
        w.push(word);
        frame.body.store(I32);
      };
      const packed = (): void => {
        const row = w.let(w.div(step, last.size));
        const column = w.let(w.mul(last.index, shift));
        if (rows !== undefined && overlap !== undefined) {
          w.when(overlap, () => {
            w.set(row, w.div(row, kernelRows()));
            const before = new Local(leaves.axes[kernel.axes.k.at(-2) as number] as number);
            w.advance(column, w.mul(before, w.mul(frame.pitch as Local, rows.shift)));
          });
        }
        store(w.add(w.mul(row, rightRow), w.mul(column, bytes)));
      };
      if (inPlace === undefined) packed();
      else {
        w.when(isSlidingPacked as Local, packed, () =>
          emitter.within(kernel.axes.k, () => store(w.mul(() => emitter.pushNumber(inPlace.offset), bytes))),
        );
      }
      w.advance(at, 4);
      groups.k.step();
    });
  }

  function blocks(): void {
    const perBatch = w.let(w.mul(rowBlocks, columnBlocks));
    const blockCount = w.let(w.mul(batch, perBatch));
    // Parts of blocks in order; 64 bits are not needed, since a launch has fewer.
    const first = w.let(w.div(w.mul(blockCount, part), count));
    const end = w.let(w.div(w.mul(blockCount, w.add(part, 1)), count));
    const block = w.local();
    const [batchIndex, firstRow, endRow, firstColumn, endColumn] = five(() => w.local());
    const [packedBlock, packedRows] = [w.let(-1), w.let(-1)];
    const [ownBlock, ownRows] = [w.local(), w.local()];
    /** Which of an operand's matrices a batch reads: those that differ along its last axes only may share one. */
    const matrixOf = ({ value }: Operand): Word => {
      const { batch } = kernel.axes;
      const used = batch.map((axis) => dependsOnAxis(value, axis)).lastIndexOf(true) + 1;
      const sizes = batch.slice(used).map((axis) => new Local(leaves.sizes[axis] as number));
      return sizes.length === 0 ? batchIndex : w.div(batchIndex, w.mul(...sizes));
    };
    w.loop(block, first, end, 1, () => {
      w.set(batchIndex, w.div(block, perBatch));
      w.set(firstColumn, w.div(w.remainder(block, perBatch), rowBlocks));
      w.set(ownBlock, w.add(firstColumn, w.mul(matrixOf(right), columnBlocks)));
      w.set(ownRows, w.add(w.remainder(block, rowBlocks), w.mul(matrixOf(left), rowBlocks)));
      w.set(firstColumn, w.mul(firstColumn, columns));
      w.set(endColumn, w.min(n, w.add(firstColumn, columns)));
      w.set(firstRow, w.mul(w.remainder(block, rowBlocks), rows));
      w.set(endRow, w.min(m, w.add(firstRow, rows)));
      const all = [args, batchIndex, firstRow, endRow, firstColumn, endColumn, sums, COLUMNS_BYTES];
      const { dot, tiled } = parts;
      if (tiled === undefined) w.call(dot as number, ...all);
      else {
        groups.batch.enter(batchIndex);
        emitter.within(groups.batch.numbers, () => {
          const a = originOf(tiled, left, { batchIndex, first: firstRow, end: endRow, packed: leftScratch });
          const b = originOf(tiled, right, {
            batchIndex,
            first: firstColumn,
            end: endColumn,
            packed: rightScratch,
          });
          chunks(tiled, a, b, { batchIndex, firstRow, endRow, firstColumn, endColumn });
        });
      }
      w.call(parts.write, ...all, frame.pitch ?? 0);
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
      /** Bytes from one step along k to the next. */
      readonly step: Local;
      /** Sets the address, and packs what is not read in place. */
      prepare(firstStep: Local, endStep: Local): void;
    }

    function originOf(
      tiled: TiledParts,
      operand: Operand,
      { batchIndex, first, end, packed }: Range,
    ): Origin {
      const [address, step] = [w.local(), w.local()];
      const isLeft = operand === left;
      const { inPlace, sliding } = operand;
      const isPacked = inPlace === undefined ? undefined : w.let(mustPack(isLeft, inPlace));
      const rowBytes = w.let(
        isLeft
          ? blocking.leftStep
          : sliding === undefined
            ? w.add(w.mul(w.roundUp(columns, 16), bytes), GAP_BYTES)
            : rightRow,
      );
      const pack = (firstStep: Local, endStep: Local): void => {
        w.set(address, packed);
        w.set(step, rowBytes);
        const own: Word[] = [first, end];
        const steps: Word[] = [firstStep, endStep];
        if (sliding !== undefined) {
          own[1] = w.add(end, reach as Local, overlap ?? 0);
          steps[1] = rightRows;
        }
        const callOne = (index: number): void => {
          w.call(index, args, batchIndex, ...steps, ...own, packed, rowBytes, overlap ?? 0);
        };
        const { straight, transposing } = isLeft ? tiled.packLeft : tiled.packRight;
        const call = (): void => {
          if (straight === undefined || transposing === undefined) {
            callOne((straight ?? transposing) as number);
          } else {
            // Along the axis that has the longer runs.
            w.when(
              w.isBelow(groups[isLeft ? "m" : "n"].last.size, groups.k.last.size),
              () => callOne(transposing),
              () => callOne(straight),
            );
          }
        };
        // Not if it still is there from the block before.
        const isNew = isLeft ? w.isNot(packedRows, ownRows) : w.isNot(packedBlock, ownBlock);
        w.when(w.and(w.isBelow(firstStep, endStep), w.or(isNew, w.isBelow(chunkSteps, k))), call);
      };
      const locate = (place: InPlace, firstStep: Local): void => {
        w.set(
          step,
          w.mul(() => emitter.pushNumber(isLeft ? place.column : place.row), bytes),
        );
        emitter.pushAddress(place.load.buffer, place.load.dtype, () => emitter.pushNumber(place.start));
        w.body.set(address.index);
        w.advance(address, w.add(w.mul(first, bytes), w.mul(firstStep, step)));
      };
      return {
        address,
        step,
        prepare(firstStep, endStep) {
          if (sliding !== undefined) {
            const { inPlace } = sliding;
            if (inPlace === undefined) pack(firstStep, endStep);
            else {
              w.when(
                isSlidingPacked as Local,
                () => pack(firstStep, endStep),
                () =>
                  emitter.scope(() => {
                    emitter.pushAddress(sliding.load.buffer, sliding.load.dtype, () =>
                      emitter.pushNumber(inPlace.start),
                    );
                    w.body.set(address.index);
                    w.advance(address, w.mul(first, bytes));
                  }),
              );
            }
            w.set(step, table);
            return;
          }
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
    function chunks(
      tiled: TiledParts,
      a: Origin,
      b: Origin,
      { firstRow, endRow, firstColumn, endColumn }: Block,
    ): void {
      const [from, to, step, stepEnd, steps] = five(() => w.local());
      const [ownRows, ownColumns] = [w.let(w.sub(endRow, firstRow)), w.let(w.sub(endColumn, firstColumn))];
      w.set(from, 0);
      w.repeat(
        () => {
          w.set(to, w.min(k, w.add(from, chunkSteps)));
          b.prepare(from, to);
          a.prepare(from, to);
          // Equal shares, since a short last one would pay for reading and writing the sums again.
          const longest = w.choose(isRow, ROW_STEPS, STEPS);
          const share = w.let(
            w.max(1, w.divUp(w.sub(to, from), w.max(1, w.divUp(w.sub(to, from), longest)))),
          );
          w.set(step, from);
          w.repeat(
            () => {
              w.set(stepEnd, w.min(to, w.add(step, share)));
              w.set(steps, w.sub(stepEnd, step));
              tiles(tiled, a, b, { from, step, steps, ownRows, ownColumns });
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

    function tiles(
      tiled: TiledParts,
      a: Origin,
      b: Origin,
      { from, step, steps, ownRows, ownColumns }: Steps,
    ): void {
      const isNew = w.let(w.isEqual(step, 0));
      const [column, row] = [w.local(), w.local()];
      const [aAt, bAt, cAt] = [w.local(), w.local(), w.local()];
      const offset = w.let(w.sub(step, from));
      const aStart = w.let(w.add(a.address, w.mul(offset, a.step)));
      const bStep = sliding === undefined ? b.step : w.let(w.add(b.step, w.mul(offset, 4)));
      const left = w.local();
      const enter = (): void => {
        w.set(aAt, aStart);
        w.set(bAt, w.add(b.address, w.mul(column, bytes)));
        if (sliding === undefined) w.advance(bAt, w.mul(offset, b.step));
        w.set(cAt, w.add(sums, w.mul(column, bytes)));
      };
      const call = (height: number, vectors: number): void => {
        w.call(tiled.tile(height, vectors), aAt, bAt, cAt, steps, a.step, bStep, COLUMNS_BYTES, isNew);
      };
      const strip = (vectors: number): void => {
        enter();
        w.loop(row, 0, w.sub(ownRows, tile - 1), tile, () => {
          call(tile, vectors);
          w.advance(aAt, tile * bytes);
          w.advance(cAt, tile * COLUMNS_BYTES);
        });
        w.set(left, w.sub(ownRows, row));
        for (let height = 1; height < tile; height++)
          w.when(w.isEqual(left, height), () => call(height, vectors));
      };
      w.set(column, 0);
      // One row is summed in as many vectors as keep additions from waiting for each other.
      const isWide = w.and(w.isEqual(ownRows, 1), w.isBelow(tileColumns, w.sub(ownColumns, column)));
      w.when(isWide, () =>
        w.repeat(() => {
          enter();
          call(1, ROW_VECTORS);
          w.advance(column, ROW_VECTORS * lanes);
        }, isWide),
      );
      w.when(w.isBelow(column, ownColumns), () =>
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
        ),
      );
    }
  }

  /** Whether an operand that could be read in place had better be packed. */
  function mustPack(isLeft: boolean, { row }: InPlace): Word {
    if (!isLeft) return w.isBelow(PACK_RIGHT_ABOVE, m);
    // A tile reads neighbours, unless it has one row.
    const isDense = row.kind === "const" && row.value === 1;
    return isDense ? w.isBelow(PACK_LEFT_ABOVE, k) : w.isBelow(1, m);
  }
}

const PACK_RIGHT_ABOVE = 16;
const PACK_LEFT_ABOVE = 64;

function five<T>(make: () => T): [T, T, T, T, T] {
  return [make(), make(), make(), make(), make()];
}
