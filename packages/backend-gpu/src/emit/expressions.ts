import { computeDType, type Expr, postOrder } from "@gradus/core";
import type { Lowering } from "./lower.js";
import { castText, literal, operandOf, operationOf } from "./operations.js";

/** The texts of what an expression is made of. */
export interface Leaves {
  axis(axis: number): string;
  size(axis: number): string;
  param(index: number): string;
  stage(index: number): string;
  /** An element of an input buffer, as a value of its dtype. */
  load(buffer: number, index: string): string;
}

/** A block of text in which some axes have a value. */
interface Block {
  readonly axes: ReadonlySet<number>;
  readonly lines: string[];
  readonly names: Map<Expr, string>;
}

/** In the place of an axis: what changes with the results of stages. */
export const STAGES = -1;

/**
 * Writes expressions as text, each once: into the innermost open block that has an axis which it depends on, or the
 * outermost one. So what does not change in a loop is computed before it.
 */
export class Expressions {
  private readonly blocks: Block[] = [{ axes: new Set(), lines: [], names: new Map() }];
  private readonly axes = new Map<Expr, ReadonlySet<number>>();
  private count = 0;

  constructor(
    private readonly lowering: Lowering,
    private readonly leaves: Leaves,
  ) {}

  /** Begins a block in which these axes have values. */
  open(axes: readonly number[]): void {
    this.blocks.push({ axes: new Set(axes), lines: [], names: new Map() });
  }

  /** Ends the innermost block and returns its text. */
  close(): string {
    return (this.blocks.pop() as Block).lines.join("\n");
  }

  /** Adds text to the innermost block. */
  line(text: string): void {
    (this.blocks.at(-1) as Block).lines.push(text);
  }

  /** Says how the value of an expression, which must be lowered, is written until the innermost block ends. */
  define(e: Expr, text: string): void {
    (this.blocks.at(-1) as Block).names.set(e, text);
  }

  /** A name that nothing else has. */
  fresh(prefix: string): string {
    return `${prefix}${this.count++}`;
  }

  /** The text of an expression's value, which is computed where this is called at the latest. */
  value(e: Expr): string {
    return this.text(this.lowering.lower(e));
  }

  private text(e: Expr): string {
    switch (e.kind) {
      case "const":
        return literal(e.value, e.dtype);
      case "axis":
        return this.leaves.axis(e.axis);
      case "size":
        return this.leaves.size(e.axis);
      case "param":
        return this.leaves.param(e.index);
      case "stage":
        return this.leaves.stage(e.index);
      default:
    }
    for (const { names } of this.blocks) {
      const known = names.get(e);
      if (known !== undefined) return known;
    }
    const computed = this.compute(e);
    const block = this.blockOf(e);
    const name = this.fresh("t");
    block.lines.push(`let ${name} = ${computed};`);
    block.names.set(e, name);
    return name;
  }

  private compute(e: Expr): string {
    switch (e.kind) {
      case "load": {
        const loaded = this.leaves.load(e.buffer, this.text(e.index));
        if (e.guard === undefined) return loaded;
        return `select(${literal(e.fill ?? 0, e.dtype)}, ${loaded}, ${this.text(e.guard)})`;
      }
      case "cast":
        return castText(this.hidden([e.value])[0] as string, e.value.dtype, e.dtype);
      case "op": {
        const [a, b] = e.args as [Expr, Expr];
        // Unsigned division is cheaper, and needs no care for negative numbers.
        if ((e.op === "idiv" || e.op === "imod") && isNatural(a) && isDivisor(b)) {
          const divided = `u32(${this.text(a)}) ${e.op === "idiv" ? "/" : "%"} u32(${this.text(b)})`;
          return `i32(${divided})`;
        }
        const operation = operationOf(e.op, operandOf(e)) as (...args: string[]) => string;
        return operation(...this.hidden(e.args));
      }
      default:
        throw new Error(`no expression of a kernel: ${e.kind}`);
    }
  }

  /** Operands, hidden from the compiler if all are constants: it refuses what overflows or is not a number. */
  private hidden(args: readonly Expr[]): string[] {
    const texts = args.map((arg) => this.text(arg));
    const [first] = args as [Expr];
    if (!args.every((arg) => arg.kind === "const") || first.dtype === "bool") return texts;
    return [`hide_${computeDType(first.dtype)}(${texts[0]})`, ...texts.slice(1)];
  }

  private blockOf(e: Expr): Block {
    const axes = this.axesOf(e);
    for (let i = this.blocks.length - 1; i > 0; i--) {
      const block = this.blocks[i] as Block;
      for (const axis of axes) if (block.axes.has(axis)) return block;
    }
    return this.blocks[0] as Block;
  }

  private axesOf(e: Expr): ReadonlySet<number> {
    const known = this.axes.get(e);
    if (known !== undefined) return known;
    const axes = new Set(
      postOrder([e]).flatMap((node) =>
        node.kind === "axis" ? node.axis : node.kind === "stage" ? STAGES : [],
      ),
    );
    this.axes.set(e, axes);
    return axes;
  }
}

/** Whether an i32 is surely not negative: what indices are made of, short of overflow. */
function isNatural(e: Expr): boolean {
  if (e.dtype !== "i32") return false;
  switch (e.kind) {
    case "axis":
    case "size":
      return true;
    case "const":
      return e.value >= 0;
    case "op":
      return ["add", "mul", "idiv", "imod", "minimum"].includes(e.op) && e.args.every(isNatural);
    default:
      return false;
  }
}

/** Whether an i32 is positive wherever it is evaluated: an axis of size 0 has no points. */
function isDivisor(e: Expr): boolean {
  return e.kind === "size" || (e.kind === "const" && e.value > 0);
}
