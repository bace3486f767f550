import {
  affineIn,
  dependsOnAxis,
  type Expr,
  type LoadExpr,
  type LoopKernel,
  postOrder,
  type Stage,
} from "@gradus/core";
import { mayEndAnywhere } from "../dense-buffers.js";
import { ARGUMENTS, type Bindings, bufferOf, loaded } from "./bindings.js";
import { decodeAxes } from "./decode.js";
import type { Expressions } from "./expressions.js";
import type { LoopShape } from "./loop-shape.js";
import type { Lowering } from "./lower.js";
import { storedAs, typeOf } from "./operations.js";

/** Something to do at each point of some inner axes, or for four points along the last of them at a time. */
export interface Loop {
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

/** What loops are made of. */
interface Parts {
  readonly kernel: LoopKernel;
  readonly shape: LoopShape;
  readonly bindings: Bindings;
  readonly lowering: Lowering;
  readonly expressions: Expressions;
}

/** The loops over inner axes of a kernel's shader, as its shape has them. */
export class LoopNests {
  private readonly kernel: LoopKernel;
  private readonly shape: LoopShape;
  private readonly bindings: Bindings;
  private readonly lowering: Lowering;
  private readonly expressions: Expressions;
  /** What holds the loads of the first stage's loop. */
  private readonly held = new Map<Expr, string>();

  constructor({ kernel, shape, bindings, lowering, expressions }: Parts) {
    this.kernel = kernel;
    this.shape = shape;
    this.bindings = bindings;
    this.lowering = lowering;
    this.expressions = expressions;
  }

  /** Does something at each point of some axes, by all threads that work on the grid point. */
  run(loop: Loop): void {
    if (this.shape.isParallel) this.together(loop);
    else this.alone(loop);
  }

  /** Loads what the loop of the first stage goes through, all at once, for it and those with the same axes. */
  hold(): void {
    const { kernel, expressions } = this;
    const { held: steps } = this.shape;
    if (steps === undefined) return;
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

  /** Where the four elements from here on lie. */
  startOf(index: Expr, inner: number): string {
    const { base } = affineIn(index, inner) as { base: Expr };
    return `${this.expressions.value(base)} + a${inner}`;
  }

  private together({ over, roots, ...loop }: Loop): void {
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
    return this.takesFours(over) ? `(${points} + 3u) / 4u` : points;
  }

  private heldLoop(at: string, limit: string, text: string): string {
    return `for (var k = 0u; k < ${this.shape.held}u; k += 1u) {
let ${at} = py + k * ny;
if (${at} < ${limit}) {\n${text}\n}
}`;
  }

  private alone({ over, roots, ...loop }: Loop): void {
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
    each(position);
    const text = expressions.close();
    const body = mayEndAnywhere(this.kernel, over)
      ? `if (a${inner} < ${this.bindings.size(inner)}) {\n${text}\n}`
      : text;
    expressions.line(`for (var i = 0; i < 4; i += 1) {\nlet a${inner} = a${inner} + i;\n${body}\n}`);
    after?.();
  }

  private loadFour(load: LoadExpr, inner: number): string {
    return this.bindings.loadFour(load.buffer, this.startOf(load.index, inner));
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

  private decode(position: string, axes: readonly number[]): void {
    decodeAxes(this.expressions, this.bindings, position, axes);
  }
}
