import {
  bytesOf,
  fail,
  flattenTree,
  formatPath,
  type GradNode,
  isTensor,
  type NestedArray,
  type OpEvent,
  observing,
  type Shape,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { valueAndGrad } from "../grad.js";
import { toDot } from "./dot.js";
import { toMermaid } from "./mermaid.js";
import { type SVGOptions, toSVG } from "./svg.js";

/** One value source or operation. */
export interface GraphNode {
  readonly id: number;
  /**
   * An argument, a tensor from outside or made without inputs, an operation, one that only looks at its input in another way,
   * or a result.
   */
  readonly kind: "input" | "constant" | "operation" | "view" | "output";
  readonly phase: "forward" | "backward";
  /** `matmul`; of an argument or a result, its path. */
  readonly name: string;
  /** Shape and dtype of the (first) output. */
  readonly shape: Shape;
  readonly dtype: string;
  /** Floating-point operations: two for each product of a contraction, one for each scalar operation. */
  readonly flops: number;
  /** Bytes that it writes; 0 for what computes nothing. */
  readonly bytes: number;
  /** In the backward pass: the forward operation whose gradient it is a part of. */
  readonly gradientOf?: number;
}

/** A value on its way from where it is made to where it is used. */
export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  /** Which output of `from`, and which input of `to`. */
  readonly output: number;
  readonly input: number;
  readonly shape: Shape;
  readonly dtype: string;
  /** With `values: true`. */
  readonly value?: NestedArray;
}

/** A computational graph: plain data, and pictures of it. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Of all nodes. */
  readonly flops: number;
  readonly bytes: number;
  /** A picture that stands alone, forward pass on the left, backward pass on the right. */
  toSVG(options?: SVGOptions): string;
  /** For Markdown: GitHub and many others draw it. */
  toMermaid(): string;
  /** For Graphviz. */
  toDot(): string;
}

export interface GraphOptions {
  /** Add the backward pass: the gradient by the first argument of a function with one number as its result. Default false. */
  readonly backward?: boolean;
  /** Note the values on the edges. Default false. */
  readonly values?: boolean;
}

/**
 * The computational graph of `f` at some arguments: what it computes, of what, and with `backward` how its gradient comes
 * about. `f` runs once, operation by operation, also where it is compiled.
 *
 * Arguments are trees; the paths of their tensors become names. A function without arguments may close over what it needs:
 * `graph(() => loss(w, x))`. A function that itself calls `grad` or `backward` shows both passes.
 *
 * @example
 * ```ts
 * import { graph } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const g = graph((p: { w: Tensor; x: Tensor }) => p.w.mul(p.x).tanh().sum(), [{ w: tensor([1, 2]), x: tensor([3, 4]) }]);
 * console.log(g.nodes.map((node) => node.name)); // → [ 'w', 'x', 'mul', 'tanh', 'sum', 'result' ]
 * console.log(g.flops, g.bytes); // → 6 20
 * console.log(g.toMermaid().split("\n")[0]); // → flowchart TD
 * ```
 */
export function graph(f: () => unknown, args?: readonly [], options?: GraphOptions): Graph;
export function graph<Args extends readonly unknown[]>(
  f: (...args: Args) => unknown,
  args: Args,
  options?: GraphOptions,
): Graph;
export function graph<Args extends readonly unknown[]>(
  f: (...args: Args) => unknown,
  args: Args = [] as unknown as Args,
  options: GraphOptions = {},
): Graph {
  const builder = new Builder(options.values === true);
  builder.arguments(args);
  const observer = {
    operation: (event: OpEvent) => {
      builder.operation(event);
    },
    alias: (source: Tensor, alias: Tensor) => {
      builder.alias(source, alias);
    },
  };
  if (options.backward === true) {
    const [loss, grads] = observing(observer, () =>
      valueAndGrad(f as unknown as (params: unknown, ...rest: unknown[]) => Tensor)(
        ...(args as unknown as [unknown]),
      ),
    );
    builder.results("loss", loss, "forward");
    builder.results("gradient", grads, "backward");
  } else {
    const result = observing(observer, () => f(...args));
    if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
      fail("async-scope", "graph: the function returned a Promise: draw its synchronous part");
    }
    builder.results("result", result, undefined);
  }
  return builder.finish();
}

/** Where a value comes from. */
interface Origin {
  readonly node: number;
  readonly output: number;
}

class Builder {
  private readonly nodes: GraphNode[] = [];
  private readonly edges: GraphEdge[] = [];
  private readonly origins = new Map<Tensor, Origin>();
  private readonly nodeOf = new Map<GradNode, number>();

  constructor(private readonly withValues: boolean) {}

  arguments(args: readonly unknown[]): void {
    const { leaves, paths } = flattenTree(args);
    leaves.forEach((leaf, i) => {
      if (!isTensor(leaf)) return;
      const path = paths[i] ?? [];
      // One argument needs no number.
      const own = args.length === 1 ? path.slice(1) : path;
      const name = own.length === 0 ? "x" : args.length === 1 ? formatPath(own) : argumentName(own);
      this.source(leaf, "input", name);
    });
  }

  operation(event: OpEvent): void {
    const isMade = event.inputs.length === 0;
    const phase = event.gradientOf === undefined ? "forward" : "backward";
    const gradientOf = event.gradientOf && this.nodeOf.get(event.gradientOf);
    const [first] = event.outputs as [Tensor];
    const isView = !isMade && event.isView();
    // What its inputs are comes first: ids ascend in the order of computing.
    const origins = event.inputs.map((x) => this.originOf(x, event.examples(x)));
    const node: GraphNode = {
      id: this.nodes.length,
      kind: isMade ? "constant" : isView ? "view" : "operation",
      phase: origins.some(({ node: from }) => this.nodes[from]?.phase === "backward") ? "backward" : phase,
      name: labelOf(event),
      shape: first.shape,
      dtype: first.dtype,
      flops: event.flops(),
      bytes: isView ? 0 : event.outputs.reduce((sum, y) => sum + bytesOfTensor(y), 0),
      ...(gradientOf !== undefined && { gradientOf }),
    };
    this.nodes.push(node);
    event.inputs.forEach((x, input) => {
      this.edge(origins[input] as Origin, node.id, input, x, event.examples(x));
    });
    event.outputs.forEach((y, output) => {
      // Inside a vmap also under the name of all examples, which is what leaves it.
      for (const name of [y, event.examples(y)]) this.origins.set(name, { node: node.id, output });
      if (y.history !== undefined) this.nodeOf.set(y.history.node, node.id);
    });
  }

  alias(source: Tensor, alias: Tensor): void {
    this.origins.set(alias, this.originOf(source));
  }

  results(whole: string, result: unknown, phase: GraphNode["phase"] | undefined): void {
    const { leaves, paths } = flattenTree(result);
    leaves.forEach((y, i) => {
      if (!isTensor(y)) return;
      const path = paths[i] ?? [];
      const origin = this.originOf(y);
      const own = phase ?? (this.nodes[origin.node] as GraphNode).phase;
      const name =
        path.length === 0
          ? whole
          : whole === "gradient"
            ? `gradient of ${formatPath(path)}`
            : formatPath(path);
      const id = this.nodes.length;
      this.nodes.push({
        id,
        kind: "output",
        phase: own,
        name,
        shape: y.shape,
        dtype: y.dtype,
        flops: 0,
        bytes: 0,
      });
      this.edge(origin, id, 0, y, y);
    });
  }

  finish(): Graph {
    const { nodes, edges } = withSeed(this.nodes, this.edges);
    const sum = (of: (node: GraphNode) => number): number =>
      nodes.reduce((total, node) => total + of(node), 0);
    const data = { nodes, edges, flops: sum((node) => node.flops), bytes: sum((node) => node.bytes) };
    return {
      ...data,
      toSVG: (options) => toSVG(data, options),
      toMermaid: () => toMermaid(data),
      toDot: () => toDot(data),
    };
  }

  private originOf(x: Tensor, examples: Tensor = x): Origin {
    const known = this.origins.get(x) ?? this.origins.get(examples);
    if (known !== undefined) return known;
    return this.source(x, "constant", x.size === 1 && !x.traced ? short(x.data()[0] as number) : "constant");
  }

  private source(x: Tensor, kind: "input" | "constant", name: string): Origin {
    const id = this.nodes.length;
    this.nodes.push({ id, kind, phase: "forward", name, shape: x.shape, dtype: x.dtype, flops: 0, bytes: 0 });
    const origin = { node: id, output: 0 };
    this.origins.set(x, origin);
    return origin;
  }

  private edge(origin: Origin, to: number, input: number, x: Tensor, stored: Tensor): void {
    const canRead = this.withValues && !stored.traced && stored.device.readSync !== undefined;
    this.edges.push({
      from: origin.node,
      to,
      output: origin.output,
      input,
      shape: x.shape,
      dtype: x.dtype,
      ...(canRead && { value: stored.toArray() }),
    });
  }
}

/** The second argument's `w` as `1.w`: a number where there is no name. */
function argumentName(path: readonly string[]): string {
  return path.length === 1 ? `argument ${path[0]}` : path.slice(1).join(".");
}

/** What starts a backward pass belongs to it: the one that the loss's own gradient is. */
function withSeed(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): { nodes: readonly GraphNode[]; edges: readonly GraphEdge[] } {
  const moved = nodes.map((node) => {
    const uses = edges.filter((edge) => edge.from === node.id).map((edge) => nodes[edge.to]?.phase);
    const isSeed = node.kind === "constant" && uses.length > 0 && uses.every((phase) => phase === "backward");
    return isSeed ? { ...node, phase: "backward" as const } : node;
  });
  // A value that nothing uses, such as zeros for the shape of something, is no part of the picture.
  const used = new Set(edges.map((edge) => edge.from));
  const kept = moved.filter((node) => node.kind === "output" || node.kind === "input" || used.has(node.id));
  const ids = new Map(kept.map((node, i) => [node.id, i]));
  return {
    nodes: kept.map((node) => ({
      ...node,
      id: ids.get(node.id) as number,
      ...(node.gradientOf !== undefined && { gradientOf: ids.get(node.gradientOf) as number }),
    })),
    edges: edges
      .filter((edge) => ids.has(edge.from) && ids.has(edge.to))
      .map((edge) => ({ ...edge, from: ids.get(edge.from) as number, to: ids.get(edge.to) as number })),
  };
}

/** The name and the numbers that it was given: `mul 2`. */
function labelOf({ name, attrs, inputs }: OpEvent): string {
  const { params } = (attrs ?? {}) as { params?: readonly unknown[] };
  const numbers = (params ?? []).filter((x) => typeof x === "number");
  if (numbers.length === 0 || name.endsWith("gradient")) return name;
  if (name === "full" && inputs.length === 0) return numbers.map(short).join(", ");
  return `${name} ${numbers.map(short).join(", ")}`;
}

function short(x: number): string {
  return String(Number(x.toPrecision(4)));
}

function bytesOfTensor(x: Tensor): number {
  return sizeOf(x.shape) * bytesOf(x.dtype);
}
