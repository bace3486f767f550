import type { Check, Expr, Output, Stage } from "@gradus/core";
import type { Nest } from "../nest.js";
import { Expressions, type Leaves } from "./expressions.js";
import type { Lowering } from "./lower.js";

/** What a part's argument is. */
export type Argument =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "stage"; readonly index: number }
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
}

export interface WriteVariant {
  /** Whether there are elements that it does not write: they stay as they are. */
  readonly isPartial: boolean;
  /** Whether an axis runs backwards. */
  readonly isFlipped: boolean;
  /** Whether stages are computed here: where each grid point writes one element, and nobody else needs them. */
  readonly inlines: boolean;
  /** Whether sums go along several points at a time. */
  readonly unrolls: boolean;
}

/** The parts of a kernel, as text. */
export class PartWriter {
  constructor(
    private readonly nest: Nest,
    private readonly lowering: Lowering,
  ) {}

  /**
   * A stage at each grid point, or a chunk of it: `chunks` chunks of `length` along `split`, one of the axes that it reduces. For
   * a stage that is reduced in one go, one chunk.
   */
  stage(index: number, split: number | undefined, unrolls: boolean): Part {
    const text = new PartText(this.nest, this.lowering);
    const stage = this.nest.stages[index] as Stage;
    const at = text.position();
    let point = at;
    let range: Range | undefined;
    if (split !== undefined) {
      const [chunks, length] = [text.number("chunks"), text.number("length")];
      text.line(`let chunk = imod(${at}, ${chunks});`);
      text.line(`let point = idiv(${at}, ${chunks});`);
      text.line(`let low = (chunk * ${length});`);
      text.line(`let high = min_f((low + ${length}), ${text.size(split)});`);
      point = "point";
      range = { axis: split, low: "low", high: "high" };
    }
    text.decode(point, this.nest.grid);
    text.grid = point;
    return text.finish(text.reduce(stage, { range, unrolls }));
  }

  write(index: number, { isPartial, isFlipped, inlines, unrolls }: WriteVariant): Part {
    const text = new PartText(this.nest, this.lowering);
    const { over, value } = this.nest.writes[index] as Output;
    const at = text.position();
    const axes = [...this.nest.grid, ...over];
    text.line(`let place = (${at} - ${text.number("offset")});`);
    let covered = "le(0, place)";
    let reached = "zero()";
    axes.forEach((axis, k) => {
      const [stride, modulus] = [text.number(`stride${k}`), text.number(`modulus${k}`)];
      text.line(`let d${k} = idiv(imod(place, ${modulus}), ${stride});`);
      const mirrored = isFlipped
        ? `pick(${text.number(`flip${k}`)}, ((${text.size(axis)} - 1) - d${k}), d${k})`
        : `d${k}`;
      text.line(`let i${axis} = ${mirrored};`);
      if (!isPartial) return;
      covered = `(${covered} * lt(d${k}, ${text.size(axis)}))`;
      reached = `(${reached} + (d${k} * ${stride}))`;
    });
    if (isPartial) text.line(`let covered = (${covered} * eq(place, ${reached}));`);
    if (inlines) text.inlineStages(unrolls);
    else text.encodeGrid();
    const result = text.value(value);
    return text.finish(isPartial ? `pick(covered, ${result}, cell(${text.previous()}, ${at}))` : result);
  }

  /** Whether a check holds, at each point. */
  check(index: number): Part {
    const text = new PartText(this.nest, this.lowering);
    const { over, holds } = this.nest.checks[index] as Check;
    text.decode(text.position(), [...this.nest.grid, ...over]);
    text.encodeGrid();
    return text.finish(text.value(holds));
  }
}

/** Joins the chunks of each grid point. */
export function combinePart(op: "sum" | "max" | "min"): Part {
  const join = op === "sum" ? "(total + next)" : `${op}_f(total, next)`;
  return {
    source: `function(s0, chunks) {
let first = (to_float(this.thread.x) * chunks);
let total = cell(s0, first);
for (let k = to_float(1); k < chunks; k = (k + 1)) {
let next = cell(s0, (first + k));
total = ${join};
}
return total;
}`,
    args: [
      { kind: "stage", index: 0 },
      { kind: "number", name: "chunks" },
    ],
  };
}

/** The part of an axis that is gone through. */
interface Range {
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

class PartText {
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
    this.line("let q = to_float(this.thread.x);");
    return "q";
  }

  /** Gives axes their values at a position that counts them row-major. */
  decode(position: string, axes: readonly number[]): void {
    let rest = position;
    [...axes].reverse().forEach((axis, k) => {
      if (k === axes.length - 1) this.line(`let i${axis} = (${rest} + 0);`);
      else {
        this.line(`let i${axis} = imod(${rest}, ${this.size(axis)});`);
        this.line(`let r${k} = idiv(${rest}, ${this.size(axis)});`);
        rest = `r${k}`;
      }
    });
  }

  /** The number of the grid point, from the values of its axes. */
  encodeGrid(): void {
    const { grid, stages } = this.nest;
    if (stages.length === 0 || grid.length === 0) return;
    const text = grid.reduce(
      (at, axis, k) => (k === 0 ? `i${axis}` : `((${at} * ${this.size(axis)}) + i${axis})`),
      "",
    );
    this.line(`let grid = (${text} + 0);`);
    this.grid = "grid";
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
    return isFloatProduct ? `scale_2(${acc}, ${extra})` : acc;
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

  finish(result: string): Part {
    this.line(`return ${result};`);
    const body = this.expressions.close();
    return {
      source: `function(${[...this.args.keys()].join(", ")}) {\n${body}\n}`,
      args: [...this.args.values()],
    };
  }

  private stage(index: number): string {
    const known = this.inlined.get(index) ?? this.fetched.get(index);
    if (known !== undefined) return known;
    const name = `s${index}`;
    this.expressions.first(
      `let v${index} = cell(${this.use(name, { kind: "stage", index })}, ${this.grid});`,
    );
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
