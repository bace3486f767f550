import { type DType, type Expr, postOrder, scalarOp, stage } from "@gradus/core";
import { F64, type HostImport, V128, type WasmFunction } from "../wasm/encode.js";
import { FunctionBody } from "../wasm/function-body.js";
import { type Callee, ExpressionEmitter } from "./expressions.js";
import { domainOf, functionOf } from "./functions.js";
import { instructionOf } from "./instructions.js";
import { Lowering, operandOf } from "./lower.js";
import { pushLane } from "./reduction.js";

const NO_LEAVES = { axes: [], sizes: [], params: [], buffers: [] };
const I32_EQZ = 0x45;
const LANES = { takes: [V128], gives: [V128] } as const;

/** The functions that the expressions of a module need, because their operations are no instructions. */
export class Callees {
  private readonly lanes = new Map<string, { readonly whole: Expr; readonly domain?: Expr }>();
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
    return [...this.lanes].map(([name, { whole, domain }]) => {
      const body = new FunctionBody(LANES);
      const emitter = new ExpressionEmitter(body, NO_LEAVES, this.find);
      emitter.setStage(0, 0, true);
      if (domain === undefined) {
        emitter.pushVector(whole);
        return body.finish();
      }
      // Lanes beyond the domain are computed by the host, the others never: what a lane gives must not depend on what lies
      // beside it, which may be another thread's or nobody's.
      const [mask, result] = [body.local(V128), body.local(V128)];
      emitter.pushVector(domain);
      body.set(mask);
      emitter.pushVector(whole);
      body.set(result);
      body.get(mask);
      emitter.allTrue();
      body.put(I32_EQZ);
      body.when(() => {
        for (let lane = 0; lane < 4; lane++) {
          pushLane(body, "bool", mask, lane);
          body.put(I32_EQZ);
          body.when(() => {
            body.get(result);
            pushLane(body, "f32", 0, lane);
            body.put(0xbb);
            body.call([...this.hosts.keys()].indexOf(`${name} f32`));
            body.put(0xb6);
            emitter.replaceLane("f32", lane);
            body.set(result);
          });
        }
      });
      body.get(result);
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
      const domain = domainOf(e.op);
      if (inLanes === undefined || domain !== undefined) {
        const name = `${e.op} ${operand}`;
        const takes = new Array<typeof F64>(e.args.length).fill(F64);
        this.hosts.set(name, { name, signature: { takes, gives: [F64] }, run: hostFunction(e.op, operand) });
      }
      if (inLanes === undefined || this.lanes.has(e.op)) continue;
      const lowering = new Lowering();
      const lowered = (f: (x: Expr) => Expr): Expr => lowering.lower(f(stage(0, "f32")));
      const whole = lowered(inLanes);
      this.lanes.set(e.op, domain === undefined ? { whole } : { whole, domain: lowered(domain) });
      this.collect([whole]);
    }
  }
}

/** The reference of an operation. */
function hostFunction(name: string, operand: DType): HostImport["run"] {
  const row = scalarOp(name);
  return (operand === "i32" ? row?.integer : undefined) ?? (row?.value as HostImport["run"]);
}
