import type { ContractAxes, Expr, Stage } from "@gradus/core";
import type { Nest } from "../nest.js";
import { Expressions, type Leaves } from "./expressions.js";
import type { Lowering } from "./lower.js";

/** A fragment multiplies so many lines of a packed operand with as many of the other. */
export const BLOCK = 4;

/** What a part's argument is. */
export type Argument =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "stage"; readonly index: number }
  /** What a part left that computes four numbers at a time. */
  | { readonly kind: "fours"; readonly index: number }
  /** What the output held before. */
  | { readonly kind: "previous" }
  | { readonly kind: "size"; readonly axis: number }
  | { readonly kind: "param"; readonly index: number }
  /** A number of the plan. */
  | { readonly kind: "number"; readonly name: string };

/** One kernel of gpu.js: it computes each element of one result by itself. */
export interface Part {
  readonly source: string;
  readonly args: readonly Argument[];
  /** How many results it has, each as large as the others. */
  readonly results: number;
}

/** The part of an axis that is gone through. */
export interface Range {
  readonly axis: number;
  readonly low: string;
  readonly high: string;
}

interface LoopOptions {
  readonly range: Range | undefined;
  readonly unrolls: boolean;
}

/** Points at a time: software drivers pay for each turn of a loop as for several products. */
const UNROLLED = 8;

/** The text of a part, from its first line to its last. */
export class PartText {
  private readonly args = new Map<string, Argument>();
  private readonly expressions: Expressions;
  /** Stages that are computed here, by their names. */
  private readonly inlined = new Map<number, string>();
  /** The names of axes that a loop goes along. */
  private readonly loops = new Map<number, string>();
  private loopCount = 0;
  /** Stages that were fetched. */
  private readonly fetched = new Map<number, string>();
  /** The text of the grid point's number, where results of stages are. */
  grid = "0";
  private isPacked = false;

  constructor(
    private readonly nest: Nest,
    lowering: Lowering,
  ) {
    const leaves: Leaves = {
      axis: (axis) => this.loops.get(axis) ?? `i${axis}`,
      size: (axis) => this.size(axis),
      param: (index) => this.use(`p${index}`, { kind: "param", index }),
      stage: (index) => this.stage(index),
      load: (index, at) => `cell(${this.use(`b${index}`, { kind: "input", index })}, ${at})`,
    };
    this.expressions = new Expressions(lowering, leaves);
  }

  line(text: string): void {
    this.expressions.line(text);
  }

  value(e: Expr): string {
    return this.expressions.value(e);
  }

  number(name: string): string {
    return this.use(name, { kind: "number", name });
  }

  size(axis: number): string {
    return this.use(`n${axis}`, { kind: "size", axis });
  }

  previous(): string {
    return this.use("previous", { kind: "previous" });
  }

  /** The number of the element that is computed. */
  position(): string {
    this.line("let q = position();");
    return "q";
  }

  /** The quotient and the remainder of numbers that are not negative, named. */
  divide(number: string, by: string, quotient: string, remainder: string): void {
    this.line(`let ${quotient} = quotient(${number}, ${by});`);
    this.line(`let ${remainder} = (${number} - (${quotient} * ${by}));`);
  }

  /** Gives axes their values at a position that counts them row-major. */
  decode(position: string, axes: readonly number[], name = (axis: number): string => `i${axis}`): void {
    let rest = position;
    [...axes].reverse().forEach((axis, k) => {
      if (k === axes.length - 1) this.line(`let ${name(axis)} = (${rest} + 0);`);
      else {
        const next = `${name(axis)}r`;
        this.divide(rest, this.size(axis), next, name(axis));
        rest = next;
      }
    });
  }

  /** Gives axes the values of the point after another one, row-major; beyond the last point the first axis goes on. */
  next(axes: readonly number[], before: (axis: number) => string, name: (axis: number) => string): void {
    let step = "1";
    [...axes].reverse().forEach((axis, k) => {
      const own = name(axis);
      if (k === axes.length - 1) this.line(`let ${own} = (${before(axis)} + ${step});`);
      else {
        this.line(`let ${own}n = (${before(axis)} + ${step});`);
        this.line(`let ${own}c = le_i(${this.size(axis)}, ${own}n);`);
        this.line(`let ${own} = (${own}n - (${own}c * ${this.size(axis)}));`);
        step = `${own}c`;
      }
    });
  }

  /** The text of the number of a point of some axes, from their values. */
  encode(axes: readonly number[]): string {
    return axes.reduce(
      (at, axis, k) => (k === 0 ? `i${axis}` : `((${at} * ${this.size(axis)}) + i${axis})`),
      "0",
    );
  }

  /** Does `body` where axes have values of their own: what depends on them is computed there. */
  within(names: ReadonlyMap<number, string>, body: () => void): string {
    this.expressions.open([...names.keys()]);
    for (const [axis, name] of names) this.loops.set(axis, name);
    body();
    return this.expressions.close();
  }

  /** The number of the grid point, from the values of its axes. */
  encodeGrid(): void {
    const { grid, stages } = this.nest;
    if (stages.length === 0 || grid.length === 0) return;
    this.line(`let grid = (${this.encode(grid)} + 0);`);
    this.grid = "grid";
  }

  /** Where the grid point's number is in a packed product. */
  encodeBlock({ batch, m, n }: ContractAxes): void {
    this.line(`let m = (${this.encode(m)} + 0);`);
    this.line(`let n = (${this.encode(n)} + 0);`);
    this.divide("m", `${BLOCK}`, "m_block", "m_lane");
    this.divide("n", `${BLOCK}`, "n_block", "n_lane");
    const rows = `((${this.encode(batch)} * ${this.number("allM")}) + m_block)`;
    this.line(`let block = ((${rows} * ${this.number("allN")}) + n_block);`);
    this.line(`let grid = ((block * ${BLOCK}) + m_lane);`);
    this.grid = "grid";
    this.isPacked = true;
  }

  inlineStages(unrolls: boolean): void {
    this.nest.stages.forEach((stage, index) => {
      const result = this.reduce(stage, { range: undefined, unrolls });
      this.line(`let s${index} = ${result};`);
      this.inlined.set(index, `s${index}`);
    });
  }

  /** The text of what a stage's loops leave. */
  reduce({ over, op, value, dtype }: Stage, { range, unrolls }: LoopOptions): string {
    const id = this.inlined.size;
    const [acc, extra, count] = [`acc${id}`, `extra${id}`, `count${id}`];
    const isPosition = op === "argmax" || op === "argmin";
    const isFloatProduct = op === "prod" && dtype === "f32";
    this.line(`let ${acc} = ${isPosition ? "zero()" : identity(op, dtype)};`);
    if (isPosition) {
      this.line(`let ${extra} = ${op === "argmax" ? "neg(inf())" : "inf()"};`);
      this.line(`let ${count} = zero();`);
    }
    // The exponent apart: a product may overflow on its way.
    if (isFloatProduct) this.line(`let ${extra} = zero();`);
    const join = (): void => {
      const x = this.value(value);
      switch (op) {
        case "sum":
          this.line(`${acc} = (${acc} + ${x});`);
          break;
        case "prod":
          if (!isFloatProduct) this.line(`${acc} = (${acc} * ${x});`);
          else {
            this.line(`let next${id} = (${acc} * mantissa_of(${x}));`);
            this.line(`${extra} = (${extra} + (exponent_of(${x}) + exponent_of(next${id})));`);
            this.line(`${acc} = mantissa_of(next${id});`);
          }
          break;
        case "max":
        case "min":
          this.line(`${acc} = ${op}_f(${acc}, ${x});`);
          break;
        default:
          this.line(`let beats${id} = ${op === "argmax" ? "above" : "below"}(${x}, ${extra});`);
          this.line(`${acc} = pick(beats${id}, ${count}, ${acc});`);
          this.line(`${extra} = pick(beats${id}, ${x}, ${extra});`);
          this.line(`${count} = (${count} + 1);`);
      }
    };
    this.loop(over, join, { range, unrolls: unrolls && op === "sum" });
    const total = isFloatProduct ? `scale_2(${acc}, ${extra})` : acc;
    return dtype === "f32" && !isPosition ? `round_f(${total})` : total;
  }

  /** Does `body` at each point of `over`, in order; several points at a time along the last axis where that pays. */
  private loop(over: readonly number[], body: () => void, options: LoopOptions): void {
    const [axis, ...inner] = over;
    if (axis === undefined) {
      body();
      return;
    }
    const { expressions } = this;
    const { range, unrolls } = options;
    const high = range?.axis === axis ? range.high : this.size(axis);
    let low = range?.axis === axis ? range.low : "zero()";
    const around = (step: number, from: string, to: string): void => {
      // A name of its own: gpu.js declares it outside of the loop.
      const i = `i${axis}x${this.loopCount++}`;
      const copies = Array.from({ length: step }, (_, k) => {
        expressions.open([axis]);
        if (k > 0) this.line(`let ${i}k${k} = (${i} + ${k});`);
        this.loops.set(axis, k === 0 ? i : `${i}k${k}`);
        this.loop(inner, body, options);
        return expressions.close();
      });
      this.line(`for (let ${i} = ${from}; ${i} < ${to}; ${i} = (${i} + ${step})) {\n${copies.join("\n")}\n}`);
    };
    if (unrolls && inner.length === 0) {
      const whole = `whole${this.loopCount++}`;
      this.line(`let ${whole} = (${low} + (idiv((${high} - ${low}), ${UNROLLED}) * ${UNROLLED}));`);
      around(UNROLLED, low, whole);
      low = whole;
    }
    around(1, low, high);
  }

  finish(...[first, ...others]: readonly [string, ...string[]]): Part {
    others.forEach((other, k) => {
      this.line(`let other${k + 1} = result${k + 1}(to_float(${other}));`);
    });
    this.line(`return ${first};`);
    const body = this.expressions.close();
    return {
      source: `function(${[...this.args.keys()].join(", ")}) {\n${body}\n}`,
      args: [...this.args.values()],
      results: 1 + others.length,
    };
  }

  private stage(index: number): string {
    const known = this.inlined.get(index) ?? this.fetched.get(index);
    if (known !== undefined) return known;
    const cells = this.use(`s${index}`, { kind: this.isPacked ? "fours" : "stage", index });
    const fetched = this.isPacked
      ? `cell_of_four(${cells}, ${this.grid}, n_lane)`
      : `cell(${cells}, ${this.grid})`;
    this.expressions.first(`let v${index} = ${fetched};`);
    this.fetched.set(index, `v${index}`);
    return `v${index}`;
  }

  private use(name: string, argument: Argument): string {
    if (!this.args.has(name)) this.args.set(name, argument);
    return name;
  }
}

function identity(op: "sum" | "prod" | "max" | "min" | "argmax" | "argmin", dtype: string): string {
  switch (op) {
    case "prod":
      return "to_float(1)";
    case "max":
      return dtype === "bool" ? "zero()" : "neg(inf())";
    case "min":
      return dtype === "bool" ? "to_float(1)" : "inf()";
    default:
      return "zero()";
  }
}
