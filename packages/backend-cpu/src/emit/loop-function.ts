import type { DType, Expr, LoopKernel, Output, Stage } from "@gradus/core";
import { axisIndex, axisSize, calculus as c, constant, isFloat, postOrder } from "@gradus/core";
import { PHASE_SIGNATURE } from "../program.js";
import { I32, V128 } from "../wasm/encode.js";
import { FunctionBody, op } from "../wasm/function-body.js";
import { argumentLeaves } from "./argument-leaves.js";
import { type Callee, ExpressionEmitter, lanesFor } from "./expressions.js";
import { typeOf } from "./instructions.js";
import type { KeptValues } from "./kept-values.js";
import { type ProductOfLanes, productOfLanes } from "./product.js";
import {
  type Accumulator,
  identity,
  isPosition,
  numberAccumulator,
  PARTIALS,
  type PartialAccumulators,
  vectorAccumulator,
} from "./reduction.js";
import { stridedLoads } from "./strided-loads.js";
import { Local, Words } from "./words.js";

/** Steps of a part of a long run: so many f32 are added before their sum becomes an f64. */
const PART_STEPS = 16;
/** Expressions of fewer nodes are combined in several accumulators; for others that would be much code for little. */
const LIGHT = 60;

/** How a long run is combined. */
interface Partials {
  readonly accumulators: PartialAccumulators;
  combine(which: number): void;
}

/** Numbers of four bytes in a cache line. */
const LINE = 16;

/** Locals with the bounds of a loop; it begins at 0 if there is none. */
interface Range {
  readonly begin?: number;
  readonly end: number;
}

/** A stage, write or check: what is computed over axes of its own at each grid point. */
interface Place {
  readonly over: readonly number[];
  readonly roots: readonly Expr[];
}

/**
 * The function that runs a loop kernel whose expressions are lowered. Lanes are along the last grid axis (`alongGrid`),
 * or along the last axis of each place; what is left over at a loop's end is a vector too, of which some lanes count.
 */
export function loopFunction(kernel: LoopKernel, kept: KeptValues, alongGrid: boolean, callee: Callee) {
  const body = new FunctionBody(PHASE_SIGNATURE);
  new LoopEmitter(kernel, kept, alongGrid, body, callee).emit();
  return body.finish();
}

class LoopEmitter {
  private readonly emitter: ExpressionEmitter;
  private readonly failed: number;
  /** The range of the first grid axis that this part does. */
  private readonly range: Required<Range>;
  /** Whether the lanes are taken by the grid here. */
  private isInLanes = false;

  constructor(
    private readonly kernel: LoopKernel,
    private readonly kept: KeptValues,
    private readonly alongGrid: boolean,
    private readonly body: FunctionBody,
    callee: Callee,
  ) {
    const roots = placesOf(kernel).flatMap((place) => place.roots);
    const targets = kernel.writes.map(({ buffer }) => buffer);
    this.emitter = new ExpressionEmitter(
      body,
      argumentLeaves(body, kernel, roots, targets),
      callee,
      lanesFor(roots),
    );
    this.failed = body.local(I32);
    this.range = { begin: body.local(I32), end: body.local(I32) };
  }

  emit(): void {
    const { kernel, emitter, body } = this;
    const places = placesOf(kernel);
    const grid = Array.from({ length: kernel.grid }, (_, axis) => axis);
    // A place with loops of its own may have no points, where its loads would be out of range.
    const plain = places.filter(({ over }) => over.length === 0).flatMap(({ roots }) => roots);
    const looped = places.filter(({ over }) => over.length > 0).flatMap(({ roots }) => roots);
    const all = [...plain, ...looped];
    const lanes = this.alongGrid && grid.length > 0;
    const hoist = (): void => {
      emitter.hoist(plain, true);
      emitter.hoist(looped, false);
    };
    if (grid.length > 0) this.chooseRange(lanes && grid.length === 1);
    this.loops(grid, all, lanes, hoist, (isVector) => {
      this.isInLanes = isVector;
      kernel.stages.forEach((stage, i) => {
        this.stage(stage, i);
      });
      // Before the writes, which may overwrite what a check reads.
      kernel.checks?.forEach((check, i) => {
        this.check(check.over, check.holds, i + 1);
      });
      for (const group of groups(kernel.writes)) this.writes(group);
      emitter.clearStages();
      this.isInLanes = false;
    });
    body.get(this.failed);
  }

  /** Splits the first grid axis: in equal ranges, of whole cache lines where they are along it. */
  private chooseRange(isAlongLanes: boolean): void {
    const { body, emitter, range } = this;
    const size = emitter.leaves.sizes[0] as number;
    const unit = isAlongLanes ? LINE : 1;
    const share = body.local(I32);
    // ceil(size / parts), rounded up to whole units.
    body.get(size);
    body.get(2);
    body.put(op.i32Add);
    body.i32(1);
    body.put(op.i32Sub);
    body.get(2);
    body.put(op.i32Div);
    body.i32(unit - 1);
    body.put(op.i32Add);
    body.i32(-unit);
    body.put(op.i32And);
    body.set(share);
    const bounded = (target: number): void => {
      body.tee(target);
      body.get(size);
      body.get(target);
      body.get(size);
      body.put(op.i32Lt);
      body.put(op.select);
      body.set(target);
    };
    body.get(1);
    body.get(share);
    body.put(op.i32Mul);
    bounded(range.begin);
    body.get(range.begin);
    body.get(share);
    body.put(op.i32Add);
    bounded(range.end);
  }

  /** Loops over axes; in the last one by four, and then one by one, if it has lanes. */
  private loops(
    axes: readonly number[],
    roots: readonly Expr[],
    lanes: boolean,
    hoist: () => void,
    inner: (isVector: boolean) => void,
    partials?: Partials,
  ): void {
    const { emitter, body } = this;
    const { sizes } = emitter.leaves;
    const rangeOf = (axis: number): Range =>
      axis === 0 && this.kernel.grid > 0 ? this.range : { end: sizes[axis] as number };
    const nest = (depth: number): void => {
      hoist();
      const axis = axes[depth];
      if (axis === undefined) inner(this.isInLanes);
      else if (lanes && depth === axes.length - 1) this.lastLoop(axis, rangeOf(axis), roots, inner, partials);
      else this.loop(axis, rangeOf(axis), () => nest(depth + 1));
    };
    if (axes.length === 0) {
      emitter.scope(() => nest(0));
      return;
    }
    axes.forEach((axis, i) => {
      const { begin, end } = rangeOf(axis);
      body.get(end);
      this.pushBegin(begin);
      body.put(op.i32Gt);
      if (i > 0) body.put(op.i32And);
    });
    body.when(() => emitter.scope(() => nest(0)));
  }

  private pushBegin(begin: number | undefined): void {
    if (begin === undefined) this.body.i32(0);
    else this.body.get(begin);
  }

  /** A loop over an axis that has points. */
  private loop(axis: number, { begin, end }: Range, inner: () => void): void {
    const { emitter, body } = this;
    const local = emitter.leaves.axes[axis] as number;
    this.pushBegin(begin);
    body.set(local);
    body.repeat(
      () => {
        emitter.within([axis], inner);
        body.advance(local, 1);
      },
      () => {
        body.get(local);
        body.get(end);
        body.put(op.i32Lt);
      },
    );
  }

  private lastLoop(
    axis: number,
    { begin, end }: Range,
    roots: readonly Expr[],
    inner: (isVector: boolean) => void,
    partials: Partials | undefined,
  ): void {
    const { emitter, body } = this;
    const { lanes } = emitter;
    const local = emitter.leaves.axes[axis] as number;
    const whole = body.local(I32);
    this.pushBegin(begin);
    body.set(local);
    // It begins at a multiple of the lanes.
    body.get(end);
    body.i32(-lanes);
    body.put(op.i32And);
    body.set(whole);
    const isBelow = (end: number): void => {
      body.get(local);
      body.get(end);
      body.put(op.i32Lt);
    };
    emitter.scope(() => {
      emitter.spread(roots, axis);
      if (partials !== undefined) this.longRun(axis, whole, partials);
      isBelow(whole);
      body.when(() =>
        body.repeat(
          () => {
            emitter.withinLanes(axis, undefined, () => inner(true));
            body.advance(local, lanes);
          },
          () => isBelow(whole),
        ),
      );
      isBelow(end);
      body.when(() => emitter.withinLanes(axis, end, () => inner(true)));
    });
  }

  /** As much of a run as fills several vectors at a time, in parts. */
  private longRun(axis: number, whole: number, { accumulators, combine }: Partials): void {
    const { emitter, body } = this;
    const words = new Words(body);
    const index = new Local(emitter.leaves.axes[axis] as number);
    const step = PARTIALS * emitter.lanes;
    const end = words.let(words.add(index, words.and(words.sub(new Local(whole), index), -step)));
    const partEnd = words.local();
    words.when(words.isBelow(index, end), () =>
      words.repeat(
        () => {
          words.set(partEnd, words.min(end, words.add(index, PART_STEPS * step)));
          accumulators.begin();
          words.repeat(
            () => {
              for (let which = 0; which < PARTIALS; which++) {
                emitter.withinLanes(axis, undefined, () => combine(which));
                words.advance(index, emitter.lanes);
              }
            },
            words.isBelow(index, partEnd),
          );
          accumulators.end();
        },
        words.isBelow(index, end),
      ),
    );
  }

  /** The loops of a place at a grid point. */
  private over(
    { over, roots }: Place,
    mayHaveLanes: boolean,
    inner: (isVector: boolean) => void,
    partials?: Partials,
  ): void {
    const { emitter } = this;
    const last = over.at(-1);
    const lanes = mayHaveLanes && !this.isInLanes && last !== undefined;
    this.loops(over, roots, lanes, () => emitter.hoist(roots, true), inner, partials);
  }

  private stage({ over, op: reduction, value, dtype }: Stage, index: number): void {
    const { emitter, body } = this;
    const position = positionAmong(over);
    const place = { over, roots: isPosition(reduction) ? [value, position] : [value] };
    const pushPositions = (): void => emitter.pushVector(position);
    if (this.isInLanes && emitter.varies(value)) {
      const lanes = vectorAccumulator(body, reduction, value.dtype, emitter.lanes, pushPositions);
      lanes.begin();
      this.over(place, false, () => {
        emitter.vector(value);
        this.keep(index, value);
        lanes.combine(() => this.pushValue(value, true));
      });
      const result = body.local(V128);
      lanes.finish();
      body.set(result);
      emitter.setStage(index, result, true);
      return;
    }
    const total = numberAccumulator(body, reduction, value.dtype, () => emitter.pushNumber(position));
    const product =
      this.isInLanes || over.length === 0 || reduction !== "prod" || !isFloat(value.dtype)
        ? undefined
        : productOfLanes(body, value.dtype, emitter.lanes);
    if (product !== undefined) {
      this.product(place, value, product, total);
      this.setNumber(index, dtype, total);
      return;
    }
    const lanes =
      this.isInLanes || over.length === 0
        ? undefined
        : vectorAccumulator(body, reduction, value.dtype, emitter.lanes, pushPositions);
    total.begin();
    lanes?.begin();
    const accumulators = lanes?.partials;
    const isLight = postOrder([value]).length < LIGHT;
    const partials = accumulators && {
      accumulators,
      combine: (which: number): void => accumulators.combine(() => emitter.pushVector(value), which),
    };
    const combine = (isVector: boolean): void => {
      const accumulator = isVector && lanes !== undefined ? lanes : total;
      if (isVector) {
        emitter.vector(value);
        this.keep(index, value);
      }
      accumulator.combine(() => {
        if (accumulator === lanes) emitter.pushFilled(value, identity(reduction, value.dtype));
        else emitter.pushNumber(value);
      });
    };
    this.over(place, lanes !== undefined, combine, isLight && !this.kept.has(index) ? partials : undefined);
    lanes?.fold(total);
    this.setNumber(index, dtype, total);
  }

  private setNumber(index: number, dtype: DType, total: Accumulator): void {
    const result = this.body.local(typeOf(dtype));
    total.finish();
    this.body.set(result);
    this.emitter.setStage(index, result, false);
  }

  /** A product of floats, in lanes, and again in order where that is not safe. */
  private product(place: Place, value: Expr, lanes: ProductOfLanes, total: Accumulator): void {
    const { emitter, body } = this;
    total.begin();
    lanes.begin();
    this.over(place, true, () => lanes.combine(() => emitter.pushFilled(value, 1)));
    lanes.pushIsSafe();
    body.put(op.if, op.void);
    lanes.fold(total);
    body.put(op.else);
    emitter.scope(() => this.over(place, false, () => total.combine(() => emitter.pushNumber(value))));
    body.put(op.end);
  }

  /** Stores a stage's value where a write will look for it. */
  private keep(stage: number, value: Expr): void {
    const place = this.kept.get(stage);
    if (place === undefined) return;
    const { emitter, kernel } = this;
    if (emitter.isDense(place.index)) emitter.number(place.index);
    else emitter.vector(place.index);
    emitter.store(kernel.inputs.length + place.buffer, place.index, value);
  }

  private pushValue(value: Expr, isVector: boolean): void {
    if (isVector) this.emitter.pushVector(value);
    else this.emitter.pushNumber(value);
  }

  /** Writes with the same loops: all values are computed before any is stored. */
  private writes(group: readonly Output[]): void {
    const { emitter, body, kernel } = this;
    const roots = group.flatMap(({ index, value }) => [index, value]);
    this.over({ over: group[0]?.over ?? [], roots }, true, (isVector) => {
      for (const { value } of group) {
        if (isVector) emitter.vector(value);
        else emitter.number(value);
      }
      // An index may read what another write of the group overwrites.
      for (const { index } of group) {
        if (!isVector || emitter.isDense(index)) emitter.number(index);
        else emitter.vector(index);
      }
      for (const { buffer, index, value } of group) {
        const target = kernel.inputs.length + buffer;
        if (isVector) {
          emitter.store(target, index, value);
          continue;
        }
        emitter.pushAddress(target, value.dtype, () => emitter.pushNumber(index));
        emitter.pushNumber(value);
        body.store(typeOf(value.dtype));
      }
    });
  }

  private check(over: readonly number[], holds: Expr, number: number): void {
    const { emitter, body } = this;
    this.over({ over, roots: [holds] }, true, (isVector) => {
      if (isVector) {
        emitter.pushFilled(holds, 1);
        emitter.allTrue();
      } else emitter.pushNumber(holds);
      body.put(op.i32Eqz);
      // The largest, so that it does not depend on the order.
      body.when(() => {
        body.i32(number);
        body.get(this.failed);
        body.i32(number);
        body.get(this.failed);
        body.put(op.i32Gt);
        body.put(op.select);
        body.set(this.failed);
      });
    });
  }
}

/** The number of a point of axes, row by row. */
function positionAmong(axes: readonly number[]): Expr {
  return axes.reduce<Expr>(
    (position, axis) => c.add(c.mul(position, axisSize(axis)), axisIndex(axis)),
    constant(0, "i32"),
  );
}

function placesOf({ stages, writes, checks = [] }: LoopKernel): Place[] {
  return [
    ...stages.map(({ over, value }) => ({ over, roots: [value] })),
    ...writes.map(({ over, index, value }) => ({ over, roots: [index, value] })),
    ...checks.map(({ over, holds }) => ({ over, roots: [holds] })),
  ];
}

/** Writes by their loops, in order. */
function groups(writes: readonly Output[]): Output[][] {
  const byLoops = new Map<string, Output[]>();
  for (const write of writes) {
    const key = write.over.join();
    const group = byLoops.get(key);
    if (group === undefined) byLoops.set(key, [write]);
    else group.push(write);
  }
  return [...byLoops.values()];
}

/** Tells from sizes whether lanes should run along the grid: where that makes loads dense, else where inner axes are short. */
export function gridPreference(kernel: LoopKernel): (sizes: readonly number[]) => boolean {
  const { axes, grid } = kernel;
  if (axes === grid || grid === 0) return () => grid > 0;
  const places = placesOf(kernel).filter(({ over }) => over.length > 0);
  const scattered = (axisOf: (place: Place) => number): number =>
    places.reduce(
      (sum, place) => sum + place.roots.reduce((n, root) => n + stridedLoads(root, axisOf(place)), 0),
      0,
    );
  const lasts = places.map(({ over }) => over.at(-1) as number);
  const [alongGrid, alongInner] = [scattered(() => grid - 1), scattered(({ over }) => over.at(-1) as number)];
  return (sizes) => {
    const columns = sizes[grid - 1] as number;
    const inner = lasts.reduce((most, axis) => Math.max(most, sizes[axis] as number), 0);
    // Not even one vector.
    if (inner < 4 && columns > inner) return true;
    if (alongGrid < alongInner && columns >= 4) return true;
    if (alongGrid > alongInner) return false;
    return inner < 16 && columns > inner;
  };
}
