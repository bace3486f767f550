import {
  affineIn,
  type DType,
  dependsOnAxis,
  type Expr,
  type LoadExpr,
  type LoopKernel,
  type Output,
  postOrder,
  type Stage,
} from "@gradus/core";
import type { Fours } from "../dense-buffers.js";
import { ARGUMENTS, Bindings, bufferOf, loaded, stored } from "./bindings.js";
import { decodeAxes } from "./decode.js";
import { Expressions } from "./expressions.js";
import { joinThreads, sharedName } from "./join-threads.js";
import { Lowering } from "./lower.js";
import { storedAs, typeOf } from "./operations.js";
import { type Combination, combination } from "./reduction.js";
import { assemble, entryPoint, type Shader } from "./shader.js";

/** Threads of a workgroup: of a shader whose threads share points, and of one whose threads have one each. */
export const PARALLEL_THREADS = 256;
export const SERIAL_THREADS = 64;

/** How a loop kernel is laid out on threads. */
export interface LoopShape {
  /** Whether several threads work on a grid point. How many is an argument, so that one shader serves all sizes. */
  readonly isParallel: boolean;
  /**
   * Undefined: the shader computes everything. Else stages are cut into chunks, which workgroups share: pass i leaves in scratch
   * memory the parts of the stages that `stageLevels` counts as i, and the last one writes.
   */
  readonly pass?: number;
  /** Whether threads that share points are joined by subgroups: only in the parallel layout. */
  readonly subgroups: boolean;
  /** What is loaded and stored four elements at a time. */
  readonly fours: Fours;
  /**
   * How many steps a thread takes at most through the loop of the first stage, if they are so few that it may keep what it loads
   * there: only in the parallel layout, and without passes.
   */
  readonly held?: number;
}

/** The shader of a loop kernel, or of one pass of it. `limit` is the most storage buffers that it may bind. */
export function loopShader(kernel: LoopKernel, shape: LoopShape, limit: number): Shader {
  return new LoopShader(kernel, shape, limit).build();
}

/** For each stage of a kernel how many others, one after another, must be there before it. */
export function stageLevels({ stages }: LoopKernel): number[] {
  const levels: number[] = [];
  for (const { value } of stages) {
    levels.push(Math.max(0, ...stagesIn([value]).map((index) => (levels[index] as number) + 1)));
  }
  return levels;
}

/** The stages that expressions need. */
function stagesIn(roots: readonly Expr[]): number[] {
  return postOrder(roots).flatMap((e) => (e.kind === "stage" ? e.index : []));
}

/** Something to do at each point of some inner axes, or for four points along the last of them at a time. */
interface Loop {
  readonly over: readonly number[];
  /** The expressions that are computed there. */
  readonly roots: readonly Expr[];
  /** Does it; `position` is the point's number in row-major order. */
  each(position: string): void;
  /** Before and after four points, if they are taken together. */
  before?(): void;
  after?(): void;
}

/** The most numbers that a thread keeps of a row. */
const MAX_HELD = 64;

class LoopShader {
  private readonly bindings: Bindings;
  private readonly lowering = new Lowering();
  private readonly expressions: Expressions;
  private readonly results: string[] = [];
  private readonly levels: readonly number[];
  /** The expressions that this pass computes. */
  private readonly roots: readonly Expr[];
  private readonly isLast: boolean;
  private readonly isParallel: boolean;
  private readonly shared = new Set<string>();
  /** What holds the loads of the first stage's loop. */
  private readonly held = new Map<Expr, string>();

  constructor(
    private readonly kernel: LoopKernel,
    private readonly shape: LoopShape,
    limit: number,
  ) {
    const { stages, writes, checks = [] } = kernel;
    const { pass } = shape;
    this.levels = stageLevels(kernel);
    this.isLast = pass === undefined || pass > Math.max(...this.levels);
    this.isParallel = shape.isParallel;
    const computed = stages.filter((_, i) => pass === undefined || this.levels[i] === pass);
    const ends = this.isLast
      ? [...writes.flatMap((w) => [w.index, w.value]), ...checks.map((check) => check.holds)]
      : [];
    this.roots = [...computed.map((stage) => stage.value), ...ends];
    this.bindings = new Bindings(kernel, {
      axes: kernel.axes,
      limit,
      vectors: shape.fours.buffers,
      roots: this.roots,
      ...(!this.isLast && { outputs: [] }),
      scratch: pass === undefined ? undefined : this.isLast ? "read" : "read_write",
      errors: this.isLast && checks.length > 0,
    });
    this.expressions = new Expressions(this.lowering, {
      axis: (axis) => `a${axis}`,
      size: (axis) => this.bindings.size(axis),
      param: (index) => this.bindings.param(index),
      stage: (index) => this.results[index] as string,
      load: (buffer, index) => this.bindings.load(buffer, index),
    });
  }

  build(): Shader {
    const { kernel, shape, expressions, bindings } = this;
    this.findPoint();
    if (shape.held !== undefined) this.hold(shape.held);
    const { pass } = shape;
    const needed = new Set(stagesIn(this.roots));
    kernel.stages.forEach((stage, i) => {
      const level = this.levels[i] as number;
      if (pass === undefined) this.results[i] = this.reduce(stage, i);
      else if (level === pass) this.leaveParts(stage, i);
      else if (needed.has(i)) this.results[i] = this.joinParts(stage, i);
    });
    if (this.isLast) {
      for (const writes of groupByLoop(kernel.writes)) this.write(writes);
      kernel.checks?.forEach(({ over, holds }, i) => {
        const each = (): void => {
          const code = `${bindings.word(ARGUMENTS.errors)} - ${i}u`;
          expressions.line(`if (!${expressions.value(holds)}) { atomicMax(&errors, ${code}); }`);
        };
        this.loop({ over, roots: [holds], each });
      });
    }
    const threads = shape.isParallel ? PARALLEL_THREADS : SERIAL_THREADS;
    const workgroup = [...this.shared].map(
      (type) => `var<workgroup> ${sharedName(type)}: array<${type === "at" ? "i32" : type}, ${threads}>;`,
    );
    const body = entryPoint(threads, expressions.close(), shape.subgroups);
    return {
      code: assemble(`${bindings.text}\n${workgroup.join("\n")}`, body),
      bindings: bindings.list,
      packed: bindings.packed,
      words: bindings.words,
    };
  }

  /** Which grid point the thread works on, and where it lies. */
  private findPoint(): void {
    const { kernel, shape, expressions, bindings } = this;
    const points = bindings.word(ARGUMENTS.points);
    if (!this.isParallel) {
      expressions.line(`let point = block * ${SERIAL_THREADS}u + lane;\nif (point >= ${points}) { return; }`);
    } else {
      let block = "block";
      if (shape.pass !== undefined) {
        const chunks = bindings.word(ARGUMENTS.chunks);
        expressions.line(`let chunk = block % ${chunks};\nlet part_of = block / ${chunks};`);
        block = "part_of";
      }
      // The word holds how many threads work on a point, and above them whether neighbours are neighbouring points.
      const layout = bindings.word(ARGUMENTS.threads);
      expressions.line(`let along = ${layout} >= 1024u;
let ny = ${layout} & 1023u;
let nx = ${PARALLEL_THREADS}u / ny;
${this.numberThreads()}
let px = select(slot / ny, slot % nx, along);
let py = select(slot % ny, slot / nx, along);
let first = select(px * ny, px, along);
let stride = select(1u, nx, along);
let inside = ${block} * nx + px < ${points};
let point = min(${block} * nx + px, ${points} - 1u);`);
    }
    const grid = Array.from({ length: kernel.grid }, (_, axis) => axis);
    this.decode("point", grid);
  }

  /**
   * The number of the thread in its workgroup. Nothing says how threads are put into subgroups, so with them it is counted by
   * subgroups, if all of them are full.
   */
  private numberThreads(): string {
    if (!this.shape.subgroups) return "let slot = lane;";
    return `let in_subgroups = subgroups * subgroup_size == ${PARALLEL_THREADS}u;
let slot = select(lane, subgroup * subgroup_size + subgroup_lane, in_subgroups);
let by_subgroups = in_subgroups && !along;`;
  }

  private decode(position: string, axes: readonly number[]): void {
    decodeAxes(this.expressions, this.bindings, position, axes);
  }

  /** The loads of a loop, lowered, that may take four elements along its innermost axis. */
  private densely(over: readonly number[], roots: readonly Expr[]): LoadExpr[] {
    const inner = over.at(-1);
    if (inner === undefined || !this.takesFours(over)) return [];
    return postOrder(roots.map((root) => this.lowering.lower(root))).filter(
      (e): e is LoadExpr =>
        e.kind === "load" &&
        this.shape.fours.buffers.has(bufferOf(this.kernel, e.buffer)) &&
        dependsOnAxis(e, inner),
    );
  }

  /** Whether a loop takes four points at a time. */
  private takesFours(over: readonly number[]): boolean {
    return this.shape.fours.loops.has(over.join());
  }

  /** Does something at each point of some axes, by all threads that work on the grid point. */
  private loop(loop: Loop): void {
    if (this.isParallel) this.loopTogether(loop);
    else this.loopAlone(loop);
  }

  private loopTogether({ over, roots, ...loop }: Loop): void {
    const { expressions, shape, bindings } = this;
    const isFours = this.takesFours(over);
    const isHeld = shape.held !== undefined && over.join() === this.kernel.stages[0]?.over.join();
    const at = expressions.fresh("r");
    const limit = expressions.fresh("limit");
    let [start, end] = ["py", `select(0u, ${this.steps(over)}, inside)`];
    if (shape.pass !== undefined) {
      const chunks = bindings.word(ARGUMENTS.chunks);
      const part = expressions.fresh("part");
      expressions.line(`let ${part} = (${this.steps(over)} + ${chunks} - 1u) / ${chunks};`);
      start = `chunk * ${part} + py`;
      end = `select(0u, min(${this.steps(over)}, (chunk + 1u) * ${part}), inside)`;
    }
    expressions.line(`let ${limit} = ${end};`);
    expressions.open(isFours ? over.slice(0, -1) : over);
    this.decode(isFours ? `(${at} * 4u)` : at, over);
    if (isFours) this.four({ over, roots, ...loop }, `i32(${at}) * 4 + i`, isHeld);
    else {
      if (isHeld) for (const [load, name] of this.held) expressions.define(load, `${name}[k]`);
      loop.each(`i32(${at})`);
    }
    const text = expressions.close();
    expressions.line(
      isHeld
        ? this.heldLoop(at, limit, text)
        : `for (var ${at} = ${start}; ${at} < ${limit}; ${at} += ny) {\n${text}\n}`,
    );
  }

  /** How many steps a loop has. */
  private steps(over: readonly number[]): string {
    const points = over.map((axis) => `u32(${this.bindings.size(axis)})`).join(" * ") || "1u";
    return this.takesFours(over) ? `(${points}) / 4u` : points;
  }

  private heldLoop(at: string, limit: string, text: string): string {
    return `for (var k = 0u; k < ${this.shape.held}u; k += 1u) {
let ${at} = py + k * ny;
if (${at} < ${limit}) {\n${text}\n}
}`;
  }

  private loopAlone({ over, roots, ...loop }: Loop): void {
    const { expressions, bindings } = this;
    if (over.length === 0) {
      expressions.open([]);
      loop.each("0");
      expressions.line(`{\n${expressions.close()}\n}`);
      return;
    }
    const isFours = this.takesFours(over);
    const position = expressions.fresh("r");
    expressions.line(`var ${position} = 0;`);
    const each = (): void => {
      loop.each(position);
      expressions.line(`${position} += 1;`);
    };
    for (const axis of isFours ? over.slice(0, -1) : over) expressions.open([axis]);
    if (isFours) {
      expressions.open([]);
      this.four({ ...loop, over, roots, each }, position);
    } else each();
    for (const axis of [...over].reverse()) {
      const step = isFours && axis === over.at(-1) ? 4 : 1;
      const text = expressions.close();
      const header = `for (var a${axis} = 0; a${axis} < ${bindings.size(axis)}; a${axis} += ${step})`;
      expressions.line(`${header} {\n${text}\n}`);
    }
  }

  /** Four points along the innermost axis, from where it is on: their elements are loaded and stored at once. */
  private four({ over, roots, each, before, after }: Loop, position: string, isHeld = false): void {
    const { expressions } = this;
    const inner = over.at(-1) as number;
    for (const load of this.densely(over, roots)) {
      const held = isHeld ? this.held.get(load) : undefined;
      const four = held === undefined ? expressions.fresh("x") : `${held}[k]`;
      if (held === undefined) expressions.line(`let ${four} = ${this.loadFour(load, inner)};`);
      expressions.define(load, loaded(load.dtype, `${four}[i]`));
    }
    before?.();
    expressions.open([inner]);
    expressions.line(`let a${inner} = a${inner} + i;`);
    each(position);
    const text = expressions.close();
    expressions.line(`for (var i = 0; i < 4; i += 1) {\n${text}\n}`);
    after?.();
  }

  private loadFour(load: LoadExpr, inner: number): string {
    return this.bindings.loadFour(load.buffer, this.startOf(load.index, inner));
  }

  /** Where the four elements from here on lie. */
  private startOf(index: Expr, inner: number): string {
    const { base } = affineIn(index, inner) as { base: Expr };
    return `${this.expressions.value(base)} + a${inner}`;
  }

  /** Loads what the loop of the first stage goes through, all at once, for it and those with the same axes. */
  private hold(steps: number): void {
    const { kernel, expressions } = this;
    const { over } = kernel.stages[0] as Stage;
    const isFours = this.takesFours(over);
    const roots = kernel.stages.flatMap((stage) => (stage.over.join() === over.join() ? stage.value : []));
    const loads = isFours ? this.densely(over, roots) : this.loadsAlong(over, roots);
    if (loads.length === 0 || loads.length * steps * (isFours ? 4 : 1) > MAX_HELD) return;
    const limit = expressions.fresh("limit");
    const at = expressions.fresh("r");
    const inner = over.at(-1) as number;
    expressions.line(`let ${limit} = select(0u, ${this.steps(over)}, inside);`);
    expressions.open(isFours ? over.slice(0, -1) : over);
    this.decode(isFours ? `(${at} * 4u)` : at, over);
    const types = loads.map((load) => {
      const value = isFours ? this.loadFour(load, inner) : expressions.value(load);
      const name = expressions.fresh("held");
      expressions.line(`${name}[k] = ${value};`);
      this.held.set(load, name);
      return isFours ? `vec4<${storedAs(load.dtype)}>` : typeOf(load.dtype);
    });
    const text = expressions.close();
    [...this.held.values()].forEach((name, i) => {
      expressions.line(`var ${name}: array<${types[i]}, ${steps}>;`);
    });
    expressions.line(this.heldLoop(at, limit, text));
  }

  /** The loads that change along some axes, lowered, and need no result of a stage. */
  private loadsAlong(over: readonly number[], roots: readonly Expr[]): LoadExpr[] {
    return postOrder(roots.map((root) => this.lowering.lower(root))).filter(
      (e): e is LoadExpr =>
        e.kind === "load" &&
        over.some((axis) => dependsOnAxis(e, axis)) &&
        !postOrder([e]).some(({ kind }) => kind === "stage"),
    );
  }

  /** The result of a stage at the point, by all threads that work on it. */
  private reduce(stage: Stage, index: number): string {
    const { joined, acc, at } = this.accumulate(stage, index);
    return this.finish(joined, acc, at, index);
  }

  private accumulate(stage: Stage, index: number) {
    const { expressions } = this;
    const joined = combination(stage.op, stage.value.dtype);
    const [acc, at] = [`acc${index}`, `at${index}`];
    expressions.line(`var ${acc} = ${joined.identity};`);
    if (joined.beside !== undefined) expressions.line(`var ${at} = ${joined.beside.first};`);
    const each = (position: string): void => {
      const value = expressions.fresh("v");
      expressions.line(`let ${value} = ${joined.enter(expressions.value(stage.value))};`);
      expressions.line(joined.join(acc, at, value, joined.beside?.of(position) ?? ""));
    };
    this.loop({ over: stage.over, roots: [stage.value], each });
    return { joined, acc, at };
  }

  /** Joins the threads' parts, if there are several, and names the result. */
  private finish(joined: Combination, acc: string, at: string, index: number): string {
    const { expressions } = this;
    if (this.isParallel) this.joinThreads(joined, acc, at);
    const name = `s${index}`;
    expressions.line(`let ${name} = ${joined.leave(acc, at)};`);
    return name;
  }

  /** Joins what the threads of a point have, so that all have the result. */
  private joinThreads(joined: Combination, acc: string, at: string): void {
    const { expressions, shape } = this;
    this.shared.add(joined.type);
    if (joined.beside !== undefined) this.shared.add("at");
    expressions.line(
      joinThreads(joined, acc, at, {
        subgroups: shape.subgroups,
        fresh: (prefix) => expressions.fresh(prefix),
      }),
    );
  }

  /** Where the parts of a stage lie in scratch memory: a value and a position for each point and chunk. */
  private partsAt(index: number, chunk: string): { value: string; position: string } {
    const { bindings } = this;
    const [points, chunks] = [bindings.word(ARGUMENTS.points), bindings.word(ARGUMENTS.chunks)];
    const at = (region: number): string =>
      `scratch[${region}u * ${points} * ${chunks} + point * ${chunks} + ${chunk}]`;
    return { value: at(2 * index), position: at(2 * index + 1) };
  }

  private leaveParts(stage: Stage, index: number): void {
    const { joined, acc, at } = this.accumulate(stage, index);
    this.joinThreads(joined, acc, at);
    const parts = this.partsAt(index, "chunk");
    const position = joined.beside !== undefined ? ` ${parts.position} = bitcast<u32>(${at});` : "";
    this.expressions.line(`if (py == 0u && inside) { ${parts.value} = bitcast<u32>(${acc});${position} }`);
  }

  private joinParts(stage: Stage, index: number): string {
    const { expressions } = this;
    const joined = combination(stage.op, stage.value.dtype);
    const [acc, at] = [`acc${index}`, `at${index}`];
    const part = expressions.fresh("part");
    const parts = this.partsAt(index, part);
    expressions.line(`var ${acc} = ${joined.identity};`);
    if (joined.beside !== undefined) expressions.line(`var ${at} = ${joined.beside.first};`);
    const value = `bitcast<${joined.type}>(${parts.value})`;
    const position = `bitcast<i32>(${parts.position})`;
    expressions.line(`for (var ${part} = py; ${part} < ${this.bindings.word(ARGUMENTS.chunks)}; ${part} += ny) {
let part_value = ${value};
${joined.beside !== undefined ? `let part_at = ${position};` : ""}
${joined.join(acc, at, "part_value", "part_at")}
}`);
    return this.finish(joined, acc, at, index);
  }

  /** Writes that share a loop: all values of a point are computed before any is stored. */
  private write(writes: readonly Output[]): void {
    const { expressions, bindings } = this;
    const { over } = writes[0] as Output;
    const { buffers } = this.shape.fours;
    const inFours = writes.flatMap((write) =>
      buffers.has(this.kernel.inputs.length + write.buffer) ? { write, four: expressions.fresh("four") } : [],
    );
    this.loop({
      over,
      roots: writes.flatMap(({ index, value }) => [index, value]),
      before: () => {
        for (const { write, four } of inFours) {
          expressions.line(`var ${four} = vec4<${storedAs(this.dtypeOf(write))}>();`);
        }
      },
      each: () => {
        const stores = writes.map((write) => {
          const four = inFours.find((one) => one.write === write)?.four;
          const at = four === undefined ? expressions.fresh("i") : "";
          if (four === undefined) expressions.line(`let ${at} = ${expressions.value(write.index)};`);
          const value = expressions.fresh("w");
          expressions.line(`let ${value} = ${expressions.value(write.value)};`);
          return four === undefined
            ? bindings.store(write.buffer, at, value)
            : `${four}[i] = ${stored(this.dtypeOf(write), value)};`;
        });
        for (const store of stores) expressions.line(store);
      },
      after: () => {
        for (const { write, four } of inFours) {
          const at = this.startOf(write.index, over.at(-1) as number);
          expressions.line(bindings.storeFour(write.buffer, at, four));
        }
      },
    });
  }

  private dtypeOf({ buffer }: Output): DType {
    return this.kernel.outputs[buffer] as DType;
  }
}

function groupByLoop(writes: readonly Output[]): Output[][] {
  const groups = new Map<string, Output[]>();
  for (const write of writes) {
    const key = write.over.join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [write]);
    else group.push(write);
  }
  return [...groups.values()];
}
