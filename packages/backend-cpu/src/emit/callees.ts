import { type DType, type Expr, postOrder, stage } from "@gradus/core";
import type { LaneProgram, LaneSteps } from "../functions/lane-program.js";
import { functionOf } from "../functions/table.js";
import { turnDigits } from "../functions/turn-digits.js";
import { V128, type WasmFunction } from "../wasm/encode.js";
import { FunctionBody, simd } from "../wasm/function-body.js";
import { ExpressionEmitter } from "./expressions.js";
import { instructionOf } from "./instructions.js";
import { Lowering, operandOf } from "./lower.js";
import { LOWER_HALVES, UPPER_HALF } from "./reduction.js";

const NO_LEAVES = { axes: [], sizes: [], params: [], buffers: [] };

interface Callee {
  readonly name: string;
  readonly dtype: DType;
  readonly operands: number;
}

/** What was written for modules that need the same functions first. */
const written = new Map<string, Pick<Callees, "functions" | "numbers">>();
const MAX_WRITTEN = 64;

/** The functions that the expressions of a module need, because their operations are no instructions. */
export class Callees {
  /** In the order of their numbers. */
  private readonly needed: Callee[] = [];
  readonly numbers: Map<string, number> = new Map();
  /** The module's first functions. */
  readonly functions: readonly WasmFunction[];

  /** @param roots lowered expressions. */
  constructor(roots: readonly Expr[]) {
    for (const e of postOrder(roots)) {
      if (e.kind === "op" && instructionOf(e.op, operandOf(e)) === undefined) this.find(e);
    }
    const key = [...this.numbers.keys()].join();
    const known = written.get(key);
    if (known !== undefined) {
      this.functions = known.functions;
      this.numbers = known.numbers;
      return;
    }
    const functions: WasmFunction[] = [];
    // What a function calls is found as it is written.
    for (let k = 0; k < this.needed.length; k++) functions.push(this.write(this.needed[k] as Callee));
    this.functions = functions;
    if (written.size >= MAX_WRITTEN) written.clear();
    written.set(key, { functions, numbers: this.numbers });
  }

  /** The number of the function that computes an operation. */
  readonly find = (e: Extract<Expr, { kind: "op" }>): number =>
    this.numberOf(e.op, operandOf(e), e.args.length);

  private numberOf(name: string, dtype: DType, operands: number): number {
    const key = `${name} ${dtype}`;
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.needed.push({ name, dtype, operands }) - 1;
      this.numbers.set(key, number);
    }
    return number;
  }

  private write({ name, dtype, operands }: Callee): WasmFunction {
    const body = new FunctionBody({ takes: new Array<typeof V128>(operands).fill(V128), gives: [V128] });
    const how = functionOf(name, dtype);
    if (how?.kind === "program") this.writeProgram(body, how.program, dtype, operands);
    else if (how?.kind === "wide") this.writeWide(body, this.numberOf(how.name, "f64", operands), operands);
    else turnDigits(body);
    return body.finish();
  }

  private writeProgram(body: FunctionBody, program: LaneProgram, dtype: DType, operands: number): void {
    const emitter = new ExpressionEmitter(body, NO_LEAVES, this.find, dtype === "f64" ? 2 : 4);
    const steps = new WrittenSteps(body, emitter);
    const result = program(steps, ...Array.from({ length: operands }, (_, k) => steps.variable(k, dtype)));
    emitter.pushVector(steps.lowered(result));
  }

  /** A function of f32 by that of f64: of the lower two lanes, and of the upper two. */
  private writeWide(body: FunctionBody, callee: number, operands: number): void {
    for (const isUpper of [false, true]) {
      for (let k = 0; k < operands; k++) {
        body.get(k);
        if (isUpper) {
          body.get(k);
          body.simd(simd.shuffle, ...UPPER_HALF);
        }
        body.simd(simd.promoteLow);
      }
      body.call(callee);
      body.simd(simd.demote);
    }
    body.simd(simd.shuffle, ...LOWER_HALVES);
  }
}

/** Writes what a program does. Its variables are stages; each is set once, or at the end of each turn of a loop. */
class WrittenSteps implements LaneSteps {
  private readonly lowering = new Lowering(0);
  private variables = 0;

  constructor(
    private readonly body: FunctionBody,
    private readonly emitter: ExpressionEmitter,
  ) {}

  lowered(e: Expr): Expr {
    return this.lowering.lower(e);
  }

  /** A variable that is in a local. */
  variable(local: number, dtype: DType): Expr {
    this.emitter.setStage(this.variables, local, true);
    return this.lowered(stage(this.variables++, dtype));
  }

  choose(mask: Expr, values: () => readonly Expr[], otherwise: readonly Expr[]): Expr[] {
    const { body, emitter } = this;
    const holds = this.let(mask);
    const results = otherwise.map((e) => this.let(e));
    body.get(holds.local);
    body.simd(simd.anyTrue);
    body.when(() => emitter.scope(() => this.assign(holds.value, results, values())));
    return results.map(({ value }) => value);
  }

  loop(
    start: readonly Expr[],
    more: (state: readonly Expr[]) => Expr,
    next: (state: readonly Expr[]) => readonly Expr[],
  ): Expr[] {
    const { body, emitter } = this;
    const variables = start.map((e) => this.let(e));
    const state = variables.map(({ value }) => value);
    const local = body.local(V128);
    const holds = this.variable(local, "bool");
    // What is computed of the state is forgotten each time: it changes.
    const look = (): void => {
      emitter.scope(() => this.set(local, more(state)));
      body.get(local);
      body.simd(simd.anyTrue);
    };
    look();
    body.when(() => body.repeat(() => emitter.scope(() => this.assign(holds, variables, next(state))), look));
    return state;
  }

  /** Sets variables to new values in the lanes where `mask` holds. */
  private assign(mask: Expr, variables: readonly Variable[], values: readonly Expr[]): void {
    const { body, emitter } = this;
    const locals = variables.map(({ value: old }, k) => {
      const value = values[k] as Expr;
      return emitter.lanesOf(
        this.lowered({ kind: "op", op: "where", args: [mask, value, old], dtype: value.dtype }),
      );
    });
    variables.forEach(({ local }, k) => {
      body.get(locals[k] as number);
      body.set(local);
    });
  }

  private let(e: Expr): Variable {
    const local = this.body.local(V128);
    this.set(local, e);
    return { local, value: this.variable(local, e.dtype) };
  }

  private set(local: number, e: Expr): void {
    this.emitter.pushVector(this.lowered(e));
    this.body.set(local);
  }
}

interface Variable {
  readonly local: number;
  readonly value: Expr;
}
