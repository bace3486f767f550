import { type DType, type Expr, postOrder, scalarOp, stage } from "@gradus/core";
import { F64, type HostImport, V128, type WasmFunction } from "../wasm/encode.js";
import { FunctionBody } from "../wasm/function-body.js";
import { type Callee, ExpressionEmitter } from "./expressions.js";
import { functionOf } from "./functions.js";
import { instructionOf } from "./instructions.js";
import { Lowering, operandOf } from "./lower.js";

const NO_LEAVES = { axes: [], sizes: [], params: [], buffers: [] };
const LANES = { takes: [V128], gives: [V128] } as const;

/** The functions that the expressions of a module need, because their operations are no instructions. */
export class Callees {
  private readonly lanes = new Map<string, Expr>();
  private readonly hosts = new Map<string, HostImport>();

  /** @param roots lowered expressions. */
  constructor(roots: readonly Expr[]) {
    this.collect(roots);
  }

  get imports(): readonly HostImport[] {
    return [...this.hosts.values()];
  }

  /** The module's first functions. */
  functions(): readonly WasmFunction[] {
    return [...this.lanes.values()].map((whole) => {
      const body = new FunctionBody(LANES);
      const emitter = new ExpressionEmitter(body, NO_LEAVES, this.find);
      emitter.setStage(0, 0, true);
      emitter.pushVector(whole);
      return body.finish();
    });
  }

  /** The number that the module's next function has. */
  get count(): number {
    return this.hosts.size + this.lanes.size;
  }

  readonly find = (name: string, dtype: DType): Callee =>
    functionOf(name, dtype) === undefined
      ? { kind: "host", index: [...this.hosts.keys()].indexOf(`${name} ${dtype}`) }
      : { kind: "lanes", index: this.hosts.size + [...this.lanes.keys()].indexOf(name) };

  private collect(roots: readonly Expr[]): void {
    for (const e of postOrder(roots)) {
      if (e.kind !== "op") continue;
      const operand = operandOf(e);
      if (instructionOf(e.op, operand) !== undefined) continue;
      const inLanes = functionOf(e.op, operand);
      if (inLanes === undefined) {
        const name = `${e.op} ${operand}`;
        const takes = new Array<typeof F64>(e.args.length).fill(F64);
        this.hosts.set(name, { name, signature: { takes, gives: [F64] }, run: hostFunction(e.op, operand) });
      } else if (!this.lanes.has(e.op)) {
        const whole = new Lowering().lower(inLanes(stage(0, "f32")));
        this.lanes.set(e.op, whole);
        this.collect([whole]);
      }
    }
  }
}

/** The reference of an operation. */
function hostFunction(name: string, operand: DType): HostImport["run"] {
  const row = scalarOp(name);
  return (operand === "i32" ? row?.integer : undefined) ?? (row?.value as HostImport["run"]);
}
