import {
  type Aval,
  contiguousLayout,
  isContiguous,
  type Layout,
  type Lowered,
  type Scalar,
  sameShape,
} from "@gradus/core";
import type { GradusTensor } from "../gradus-tensor.js";
import { lower } from "../lowering/lower.js";
import type { Call, Source, Trace } from "./trace.js";

export type Computed = Exclude<Lowered, { kind: "view" }>;

/** A value in memory, seen through a layout. */
export interface Operand {
  /** The number, in the trace, of the value whose memory it is. */
  readonly root: number;
  readonly layout: Layout;
}

/** What becomes a kernel: the operation of a call or, when operations were joined, of several. */
export interface KernelNode {
  readonly name: string;
  readonly lowered: Computed;
  readonly operands: readonly Operand[];
  /** The numbers of the values that it computes. */
  readonly outputs: readonly number[];
  readonly avals: readonly Aval[];
}

/** A trace without its views: what is computed, in order, and where each value lies. */
export interface LoweredTrace {
  readonly nodes: readonly KernelNode[];
  operand(id: number): Operand;
}

/**
 * Lowers the calls of a trace that its results need. A view becomes a layout of the value that it sees. Of two equal
 * computations of one region the second is dropped.
 */
export function lowerTrace(trace: Trace, results: readonly number[]): LoweredTrace {
  const needed = neededCalls(trace, results);
  const placed = new Map<number, Operand>();
  const operand = (id: number): Operand => {
    let found = placed.get(id);
    if (found === undefined) {
      found = { root: id, layout: layoutOf(trace.values[id] as Source) };
      placed.set(id, found);
    }
    return found;
  };
  const nodes: KernelNode[] = [];
  const known = new Equal();
  for (const call of trace.calls) {
    if (!needed.has(call)) continue;
    const operands = call.inputs.map(operand);
    const avals = call.outputs.map((id) => (trace.values[id] as Source).aval);
    const lowered = lower(
      call.op,
      operands.map((x) => x.layout),
      call.attrs,
      avals,
    );
    if (lowered.kind === "view") {
      const { root } = operands[0] as Operand;
      placed.set(call.outputs[0] as number, { root, layout: lowered.layout });
      continue;
    }
    const name = call.op.label?.(call.attrs) ?? call.op.name;
    const node = { name, lowered, operands, outputs: call.outputs, avals };
    const before = known.find(node, call.region);
    if (before === undefined) nodes.push(node);
    for (const [k, id] of call.outputs.entries()) {
      if (before !== undefined) placed.set(id, operand(before.outputs[k] as number));
    }
  }
  return { nodes, operand };
}

function neededCalls(trace: Trace, results: readonly number[]): Set<Call> {
  const needed = new Set<Call>();
  const wanted = new Set(results);
  for (const call of [...trace.calls].reverse()) {
    if (!call.outputs.some((id) => wanted.has(id))) continue;
    needed.add(call);
    for (const id of call.inputs) wanted.add(id);
  }
  return needed;
}

function layoutOf(source: Source): Layout {
  if (source.kind !== "captured") return contiguousLayout(source.aval);
  return (source.tensor.value as Extract<GradusTensor["value"], { kind: "stored" }>).layout;
}

/** Finds computations that were made before. */
class Equal {
  private readonly byKey = new Map<string, KernelNode[]>();
  private readonly scalars = new Map<Scalar, number>();

  find(node: KernelNode, region: number): KernelNode | undefined {
    const { lowered, operands, avals } = node;
    const params = lowered.kind === "native" ? [] : lowered.params.map((p) => this.nameOf(p));
    const shapes = avals.map(({ dtype, shape }) => `${dtype}${shape.join("x")}`);
    const roots = operands.map(({ root }) => root);
    const key = [region, lowered.key, lowered.sizes, params, shapes, roots].join("|");
    const alike = this.byKey.get(key);
    if (alike === undefined) {
      this.byKey.set(key, [node]);
      return undefined;
    }
    const found = alike.find((other) =>
      operands.every((x, k) => sameOperand(x, other.operands[k] as Operand)),
    );
    if (found === undefined) alike.push(node);
    return found;
  }

  private nameOf(param: number | Scalar): string {
    if (typeof param === "number") return Object.is(param, -0) ? "-0" : String(param);
    let id = this.scalars.get(param);
    if (id === undefined) {
      id = this.scalars.size;
      this.scalars.set(param, id);
    }
    return `#${id}`;
  }
}

export function sameOperand(a: Operand, b: Operand): boolean {
  return a.root === b.root && (a.layout === b.layout || sameLayout(a.layout, b.layout));
}

function sameLayout(a: Layout, b: Layout): boolean {
  return (
    a.dtype === b.dtype &&
    a.offset === b.offset &&
    sameShape(a.shape, b.shape) &&
    a.strides.every((stride, axis) => stride === b.strides[axis])
  );
}

/** Whether an operand is all of its value, in order. */
export function isWhole({ layout }: Operand, aval: Aval): boolean {
  return layout.offset === 0 && sameShape(layout.shape, aval.shape) && isContiguous(layout);
}
