import type { ContractBody, Expr, LoopBody, LoweredWrite } from "@gradus/core";

/** Writes bodies as text: equal texts mean equal bodies, so the text names the kernel. */
export class Printer {
  private readonly names = new Map<Expr, number>();
  private readonly byText = new Map<string, number>();
  private readonly lines: string[] = [];

  loops({ grid, stages, writes, checks = [], params }: LoopBody): string {
    const parts = [
      `loops ${grid} ${params}`,
      ...stages.map((s) => `${s.op} ${s.dtype} ${s.over} ${this.expr(s.value)}`),
      ...writes.map((write) => this.write(write)),
      ...checks.map((check) => `check ${check.over} ${this.expr(check.holds)} ${check.message}`),
    ];
    return this.text(parts);
  }

  contract({ groups, a, b, accumulate, writes, params }: ContractBody): string {
    const { batch, m, n, k } = groups;
    return this.text([
      `contract ${[batch, m, n, k]} ${params} ${accumulate} ${this.expr(a)} ${this.expr(b)}`,
      ...writes.map((write) => this.write({ ...write, over: [] })),
    ]);
  }

  private text(parts: readonly string[]): string {
    return `${this.lines.join(";")}|${parts.join(";")}`;
  }

  private write({ over, value, at, flat }: LoweredWrite): string {
    const place = flat === undefined ? at?.map((e) => this.expr(e)) : `flat ${this.expr(flat)}`;
    return `write ${over} ${this.expr(value)} @${place ?? "grid"}`;
  }

  /** The number of an expression's line. Equal expressions get one line. */
  private expr(e: Expr): number {
    const known = this.names.get(e);
    if (known !== undefined) return known;
    const text = this.line(e);
    let number = this.byText.get(text);
    if (number === undefined) {
      number = this.lines.push(text) - 1;
      this.byText.set(text, number);
    }
    this.names.set(e, number);
    return number;
  }

  private line(e: Expr): string {
    switch (e.kind) {
      case "const":
        return `${Object.is(e.value, -0) ? "-0" : e.value}${e.dtype}`;
      case "axis":
        return `x${e.axis}`;
      case "size":
        return `n${e.axis}`;
      case "param":
        return `p${e.index}${e.dtype}`;
      case "stage":
        return `s${e.index}${e.dtype}`;
      case "op":
        return `${e.op} ${e.dtype} ${e.args.map((arg) => this.expr(arg))}`;
      case "cast":
        return `cast ${e.dtype} ${this.expr(e.value)}`;
      case "input": {
        const guard = e.guard === undefined ? "" : `if ${this.expr(e.guard)} else ${e.fill ?? 0}`;
        return `in${e.index}${e.dtype} ${e.at?.map((at) => this.expr(at)) ?? "grid"}${guard}`;
      }
      case "load":
        return `load${e.buffer}${e.dtype} ${this.expr(e.index)} ${e.guard === undefined ? "" : `${this.expr(e.guard)} ${e.fill}`}`;
      default:
        return e satisfies never;
    }
  }
}
