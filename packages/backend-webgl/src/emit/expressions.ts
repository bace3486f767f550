import { type Expr, postOrder } from "@gradus/core";
import type { Lowering } from "./lower.js";
import { castText, literal, operandOf, operationOf } from "./operations.js";

/** The texts of what an expression is made of. */
export interface Leaves {
  axis(axis: number): string;
  size(axis: number): string;
  param(index: number): string;
  stage(index: number): string;
  /** An element of an input buffer. */
  load(buffer: number, index: string): string;
}

/** A block of text in which some axes have a value. */
interface Block {
  readonly axes: ReadonlySet<number>;
  readonly lines: string[];
  readonly names: Map<Expr, string>;
}

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

  /** Adds text to the outermost block. */
  first(text: string): void {
    (this.blocks[0] as Block).lines.push(text);
  }

  /** The text of an expression's value, which is computed where this is called at the latest. */
  value(e: Expr): string {
    return this.text(this.lowering.lower(e));
  }

  private text(e: Expr): string {
    switch (e.kind) {
      case "const":
        return literal(e.value);
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
    const name = `t${this.count++}`;
    const isRounded = e.dtype === "f32" && e.kind === "op";
    block.lines.push(`let ${name} = ${isRounded ? `round_f(${computed})` : computed};`);
    block.names.set(e, name);
    return name;
  }

  private compute(e: Expr): string {
    switch (e.kind) {
      case "load": {
        const loaded = this.leaves.load(e.buffer, this.text(e.index));
        return e.guard === undefined
          ? loaded
          : `pick(${this.text(e.guard)}, ${loaded}, ${literal(e.fill ?? 0)})`;
      }
      case "cast":
        return castText(this.text(e.value), e.value.dtype, e.dtype);
      case "op": {
        const operation = operationOf(e.op, operandOf(e)) as (...args: string[]) => string;
        return operation(...e.args.map((arg) => this.text(arg)));
      }
      default:
        throw new Error(`no expression of a kernel: ${e.kind}`);
    }
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
    const axes = new Set(postOrder([e]).flatMap((node) => (node.kind === "axis" ? node.axis : [])));
    this.axes.set(e, axes);
    return axes;
  }
}
