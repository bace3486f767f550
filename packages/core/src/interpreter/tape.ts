import type { DType } from "../dtype.js";
import { fail } from "../errors.js";
import { affineIn } from "../ir/affine.js";
import { type Expr, type LoadExpr, postOrder } from "../ir/expr.js";
import type { Frame } from "./frame.js";
import { type Address, type Guard, loadStep, storeStep } from "./loads.js";
import { castStep, opStep, type Step } from "./op-loops.js";
import { type Register, RegisterAllocator, scalarRegister } from "./registers.js";

/*
 * Expressions become a tape: a straight line of steps over registers, one for each distinct Expr object. A step runs
 * over a whole chunk of the run axis, so its overhead is paid once for hundreds of elements, and no code is generated.
 *
 * Each value has a depth: how deep in the loop nest the innermost loop is that it depends on. A step runs again only
 * when a loop at its depth or outside of it has moved, so what is invariant in a loop is computed outside of it.
 */

/** The loops around a tape, outermost first. Loop i of the nest has depth i + 1; depth 0 is the launch. */
export interface Nest {
  readonly axes: readonly number[];
  /** The axis that chunks run along, one of `axes`. */
  readonly run: number | undefined;
  /** Results of earlier stages, and the depth of the loop within which they change. */
  readonly stages: readonly Register[];
  readonly stageDepth: number;
}

/** A stretch of steps in the order of their depths. */
export class Tape {
  constructor(
    private readonly steps: readonly Step[],
    /** How many elements each step computes: a chunk (1) or one number (0). */
    private readonly varying: readonly (0 | 1)[],
    /** The first step of each depth. */
    private readonly first: readonly number[],
  ) {}

  /** Computes n elements again, given that no loop outside of `depth` has moved since. */
  exec(depth: number, n: number): void {
    const { steps, varying } = this;
    for (let i = this.first[depth] ?? steps.length; i < steps.length; i++) {
      (steps[i] as Step)(varying[i] === 1 ? n : 1);
    }
  }
}

/** A value on the tape while it is being built. */
interface Node {
  readonly dtype: DType;
  readonly depth: number;
  readonly varying: boolean;
  /** Makes the step that computes it; absent for what the frame or an earlier stage provides. */
  readonly step?: (out: Register) => Step;
  readonly uses: readonly Node[];
  register?: Register;
  /** The tape's end reads it, so its register is never used for anything else. */
  root?: boolean;
}

/** Compiles the expressions of one place of a kernel (a stage, some writes, an operand) to a {@link Tape}. */
export class TapeBuilder {
  private readonly nodes: Node[] = [];
  private readonly known = new Map<Expr, Node>();

  constructor(
    private readonly frame: Frame,
    private readonly nest: Nest,
    private readonly registers: RegisterAllocator,
  ) {}

  /** Computes `expr`; the function returned gives its register once the tape is built. */
  value(expr: Expr): () => Register {
    const node = this.visit(expr);
    node.root = true;
    return () => node.register as Register;
  }

  /** Writes `value` to a buffer; the function returned gives the step, which is not part of the tape. */
  store(buffer: number, index: Expr, value: Expr): () => Step {
    const source = this.value(value);
    const { address, uses } = this.address(index);
    for (const node of uses) node.root = true;
    return () => storeStep(this.frame, buffer, value.dtype, address(), source());
  }

  build(): Tape {
    const computed = this.nodes.filter((node) => node.step !== undefined);
    // Children come before parents and are never deeper, so a stable sort by depth keeps them before their parents.
    computed.sort((a, b) => a.depth - b.depth);
    const deepest = this.nest.axes.length;
    const lastUse = new Map<Node, number>();
    computed.forEach((node, i) => {
      for (const used of node.uses) lastUse.set(used, i);
    });
    const registers = new RegisterAllocator(this.registers.pool, this.registers);
    const steps: Step[] = [];
    computed.forEach((node, i) => {
      const out = node.varying
        ? registers.take(node.dtype)
        : scalarRegister(node.dtype, this.frame.precision);
      node.register = out;
      steps.push((node.step as (out: Register) => Step)(out));
      for (const used of new Set(node.uses)) {
        // A value of an outer depth is read again when this loop moves on, so only the innermost give theirs back.
        const isTemporary =
          used.varying && used.step !== undefined && used.depth === deepest && used.root !== true;
        if (isTemporary && lastUse.get(used) === i) registers.giveBack(used.dtype, used.register as Register);
      }
    });
    const first: number[] = [];
    for (let depth = 0; depth <= deepest; depth++) {
      const at = computed.findIndex((node) => node.depth >= depth);
      first.push(at < 0 ? computed.length : at);
    }
    return new Tape(
      steps,
      computed.map((node) => (node.varying ? 1 : 0)),
      first,
    );
  }

  private visit(expr: Expr): Node {
    const known = this.known.get(expr);
    if (known !== undefined) return known;
    const node = this.make(expr);
    this.known.set(expr, node);
    this.nodes.push(node);
    return node;
  }

  private make(expr: Expr): Node {
    const { frame, nest } = this;
    switch (expr.kind) {
      case "const":
        return provided(expr.dtype, 0, scalarRegister(expr.dtype, frame.precision, expr.value));
      case "param":
        return provided(expr.dtype, 0, frame.params[expr.index] as Register);
      case "size":
        return provided("i32", 0, frame.sizes[expr.axis] as Register);
      case "stage":
        return provided(expr.dtype, nest.stageDepth, nest.stages[expr.index] as Register);
      case "axis": {
        const depth = nest.axes.indexOf(expr.axis) + 1;
        if (expr.axis !== nest.run) return provided("i32", depth, frame.axes[expr.axis] as Register);
        return {
          dtype: "i32",
          depth,
          varying: true,
          uses: [],
          step:
            ({ data }) =>
            (n) => {
              for (let i = 0; i < n; i++) data[i] = frame.start + i;
            },
        };
      }
      case "op": {
        const uses = expr.args.map((arg) => this.visit(arg));
        const operand = (expr.args[expr.args.length - 1] as Expr).dtype;
        return computed(expr.dtype, uses, (out) =>
          opStep(
            expr.op,
            operand,
            out.data,
            uses.map((node) => node.register as Register),
          ),
        );
      }
      case "cast": {
        const value = this.visit(expr.value);
        return computed(expr.dtype, [value], (out) =>
          castStep(expr.value.dtype, expr.dtype, out.data, value.register as Register),
        );
      }
      case "load":
        return this.load(expr);
      case "input":
        return fail("kernel-invalid", `kernel "${frame.kernel.name}" holds an operand that was not lowered`);
    }
  }

  private load(expr: LoadExpr): Node {
    const { address, uses } = this.address(expr.index);
    const guard = expr.guard === undefined ? undefined : this.visit(expr.guard);
    const all = guard === undefined ? uses : [...uses, guard];
    const step = (out: Register): Step => {
      const condition: Guard | undefined = guard && {
        condition: guard.register as Register,
        fill: expr.fill ?? 0,
      };
      return loadStep(this.frame, expr.buffer, expr.dtype, address(), condition, out.data);
    };
    const node = computed(expr.dtype, all, step);
    // An affine load varies though none of the registers that it reads does.
    return this.varies(expr) ? { ...node, depth: Math.max(node.depth, this.runDepth), varying: true } : node;
  }

  /** How an index is computed: as an affine function of the run where it is one. */
  private address(index: Expr): { readonly address: () => Address; readonly uses: readonly Node[] } {
    const { run } = this.nest;
    const affine = run === undefined ? undefined : affineIn(index, run);
    if (affine !== undefined && !this.varies(affine.base) && !this.varies(affine.stride)) {
      const base = this.visit(affine.base);
      const stride = this.visit(affine.stride);
      return {
        uses: [base, stride],
        address: () => ({
          kind: "affine",
          base: base.register as Register,
          stride: stride.register as Register,
        }),
      };
    }
    const at = this.visit(index);
    return { uses: [at], address: () => ({ kind: "indexed", index: at.register as Register }) };
  }

  /** Whether a value changes along the run. */
  private varies(expr: Expr): boolean {
    const { run, stages } = this.nest;
    return postOrder([expr]).some(
      (e) => (e.kind === "axis" && e.axis === run) || (e.kind === "stage" && stages[e.index]?.step === 1),
    );
  }

  private get runDepth(): number {
    return this.nest.run === undefined ? 0 : this.nest.axes.indexOf(this.nest.run) + 1;
  }
}

function provided(dtype: DType, depth: number, register: Register): Node {
  return { dtype, depth, varying: register.step === 1, uses: [], register };
}

function computed(dtype: DType, uses: readonly Node[], step: (out: Register) => Step): Node {
  return {
    dtype,
    depth: Math.max(0, ...uses.map((node) => node.depth)),
    varying: uses.some((node) => node.varying),
    uses,
    step,
  };
}
