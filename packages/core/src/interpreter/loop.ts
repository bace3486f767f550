import type { Check, LoopKernel, Output, Stage } from "../ir/kernel.js";
import { type BufferView, Frame } from "./frame.js";
import { Odometer } from "./odometer.js";
import type { Step } from "./op-loops.js";
import { ElementReducer, RunReducer } from "./reduce.js";
import { CHUNK, type Register, RegisterAllocator, type RegisterPool, scalarRegister } from "./registers.js";
import { type Tape, TapeBuilder } from "./tape.js";

/** What runs a compiled kernel. */
export interface Program {
  /** `failed` is called with the message of a check that did not hold. */
  run(
    buffers: readonly BufferView[],
    sizes: readonly number[],
    params: readonly number[],
    failed: (message: string) => void,
  ): void;
}

/** Inner runs shorter than this leave too little work to a step if the grid offers longer ones. */
const SHORT_RUN = 64;

/**
 * Runs a loop kernel. The run axis, along which steps work on chunks, is either the last inner axis of each place (a
 * row of softmax) or the last grid axis (an elementwise kernel; a reduction over many short columns). Which is better
 * is known only with the sizes, so both programs are made when they are first needed.
 */
export function loopProgram(kernel: LoopKernel, pool: RegisterPool): Program {
  let alongGrid: LoopPlan | undefined;
  let alongInner: LoopPlan | undefined;
  const places = [...kernel.stages, ...kernel.writes, ...(kernel.checks ?? [])];
  return {
    run(buffers, sizes, params, failed) {
      let plan: LoopPlan;
      if (prefersGrid(kernel, places, sizes)) {
        alongGrid ??= new LoopPlan(kernel, true, pool);
        plan = alongGrid;
      } else {
        alongInner ??= new LoopPlan(kernel, false, pool);
        plan = alongInner;
      }
      plan.run(buffers, sizes, params, failed);
    },
  };
}

function prefersGrid(
  { axes, grid }: LoopKernel,
  places: readonly { readonly over: readonly number[] }[],
  sizes: readonly number[],
): boolean {
  if (axes === grid) return true;
  if (grid === 0) return false;
  let inner = 0;
  for (const { over } of places) {
    if (over.length > 0) inner = Math.max(inner, sizes[over[over.length - 1] as number] as number);
  }
  return inner < SHORT_RUN && (sizes[grid - 1] as number) > inner;
}

class LoopPlan {
  private readonly frame: Frame;
  private readonly places: Place[];
  private readonly outer: Odometer;
  /** The grid axis that chunks run along, if it is one. */
  private readonly runAxis: number | undefined;
  private readonly runDepth: number;

  constructor(kernel: LoopKernel, alongGrid: boolean, pool: RegisterPool) {
    const { grid } = kernel;
    const frame = new Frame(kernel, kernel.axes, pool.precision);
    const registers = new RegisterAllocator(pool);
    this.frame = frame;
    this.runAxis = alongGrid && grid > 0 ? grid - 1 : undefined;
    this.runDepth = grid;
    const gridAxes = Array.from({ length: grid }, (_, axis) => axis);
    this.outer = new Odometer(frame, this.runAxis === undefined ? gridAxes : gridAxes.slice(0, -1), 1);
    const stages = kernel.stages.map(({ dtype }) =>
      this.runAxis === undefined ? scalarRegister(dtype, pool.precision) : registers.take(dtype),
    );
    const place = (over: readonly number[], available: readonly Register[]): PlaceParts => {
      const run = alongGrid ? this.runAxis : over[over.length - 1];
      const nest = { axes: [...gridAxes, ...over], run, stages: available, stageDepth: grid };
      const innerRun = alongGrid ? undefined : run;
      const outerOver = innerRun === undefined ? over : over.slice(0, -1);
      return {
        frame,
        builder: new TapeBuilder(frame, nest, registers),
        over: new Odometer(frame, outerOver, grid + 1),
        innerRun,
        innerDepth: nest.axes.length,
      };
    };
    this.places = [
      ...kernel.stages.map(
        (stage, i) => new StagePlace(place(stage.over, stages), stage, stages[i] as Register),
      ),
      ...groupByOver(kernel).map(({ over, writes, checks }) => {
        return new WritePlace(place(over, stages), kernel, writes, checks);
      }),
    ];
  }

  run(
    buffers: readonly BufferView[],
    sizes: readonly number[],
    params: readonly number[],
    failed: (message: string) => void,
  ): void {
    const { frame, places, outer, runAxis } = this;
    frame.open(buffers, sizes, params);
    try {
      const total = runAxis === undefined ? 1 : (sizes[runAxis] as number);
      if (total === 0 || !outer.reset()) return;
      let depth = 0;
      do {
        for (let start = 0; start < total; start += CHUNK) {
          const n = Math.min(CHUNK, total - start);
          for (const place of places) {
            // Places without a grid run set `start` for chunks of their own.
            frame.start = start;
            place.run(depth, n, failed);
          }
          depth = this.runDepth;
        }
        depth = outer.next();
      } while (depth >= 0);
    } finally {
      frame.close();
    }
  }
}

interface PlaceParts {
  readonly frame: Frame;
  readonly builder: TapeBuilder;
  /** The place's own axes, less the one that chunks run along. */
  readonly over: Odometer;
  /** The axis of the place that chunks run along; undefined where they run along a grid axis, or nowhere. */
  readonly innerRun: number | undefined;
  readonly innerDepth: number;
}

/** A stage, or the writes that share their axes: a tape, and what is done with its values. */
abstract class Place {
  protected abstract readonly tape: Tape;

  constructor(private readonly parts: PlaceParts) {}

  /** Runs at one grid point, or at a chunk of n of them; `from` is the depth of the outermost loop that moved. */
  run(from: number, n: number, failed: (message: string) => void): void {
    const { frame, over, innerRun, innerDepth } = this.parts;
    this.begin(n);
    if (over.reset()) {
      let depth = from;
      do {
        if (innerRun === undefined) {
          this.tape.exec(depth, n);
          this.body(n, failed);
        } else {
          const total = frame.sizes[innerRun]?.data[0] as number;
          for (let start = 0; start < total; start += CHUNK) {
            const length = Math.min(CHUNK, total - start);
            frame.start = start;
            this.tape.exec(depth, length);
            this.body(length, failed);
            depth = innerDepth;
          }
        }
        depth = over.next();
      } while (depth >= 0);
    }
    this.end(n);
  }

  protected abstract begin(n: number): void;
  protected abstract body(n: number, failed: (message: string) => void): void;
  protected abstract end(n: number): void;
}

class StagePlace extends Place {
  protected readonly tape: Tape;
  private readonly value: Register;
  private readonly reducer: RunReducer | ElementReducer;

  constructor(parts: PlaceParts, { op, value, dtype }: Stage, result: Register) {
    super(parts);
    const register = parts.builder.value(value);
    this.tape = parts.builder.build();
    this.value = register();
    this.reducer =
      result.step === 0 ? new RunReducer(op, dtype, result) : new ElementReducer(op, dtype, result, CHUNK);
  }

  protected begin(n: number): void {
    this.reducer.begin(n);
  }

  protected body(n: number): void {
    this.reducer.combine(this.value, n);
  }

  protected end(n: number): void {
    this.reducer.end(n);
  }
}

/**
 * Writes that share their axes share a tape too: what several outputs have in common is computed once, and everything
 * is read before anything is written, so an output may lie in an input's buffer.
 */
class WritePlace extends Place {
  protected readonly tape: Tape;
  private readonly stores: readonly Step[];
  private readonly checks: readonly { readonly holds: Register; readonly message: string }[];

  constructor(parts: PlaceParts, kernel: LoopKernel, writes: readonly Output[], checks: readonly Check[]) {
    super(parts);
    const { builder } = parts;
    const stores = writes.map((w) => builder.store(kernel.inputs.length + w.buffer, w.index, w.value));
    const conditions = checks.map(({ holds }) => builder.value(holds));
    this.tape = builder.build();
    this.stores = stores.map((store) => store());
    this.checks = checks.map(({ message }, i) => ({ holds: (conditions[i] as () => Register)(), message }));
  }

  protected begin(): void {}

  protected body(n: number, failed: (message: string) => void): void {
    for (const store of this.stores) store(n);
    for (const { holds, message } of this.checks) {
      for (let i = 0; i < n; i++) {
        if (holds.data[i * holds.step] === 0) {
          failed(message);
          break;
        }
      }
    }
  }

  protected end(): void {}
}

interface Group {
  readonly over: readonly number[];
  readonly writes: Output[];
  readonly checks: Check[];
}

function groupByOver(kernel: LoopKernel): Group[] {
  const groups = new Map<string, Group>();
  const groupOf = (over: readonly number[]): Group => {
    const key = over.join();
    const group = groups.get(key) ?? { over, writes: [], checks: [] };
    groups.set(key, group);
    return group;
  };
  for (const write of kernel.writes) groupOf(write.over).writes.push(write);
  for (const check of kernel.checks ?? []) groupOf(check.over).checks.push(check);
  return [...groups.values()];
}
