import type { Backend, DType, Shape, Tensor } from "@gradus/core";
import * as tensors from "@gradus/tensor";

/** A tensor program as data, so that it can be run anywhere, made smaller, and printed as code. */
export interface Program {
  /** Each makes one value; a node refers to nodes before it. */
  readonly nodes: readonly Node[];
  /** Which values are returned. */
  readonly outputs: readonly number[];
  /** Whether the compiled function takes over the memory of its arguments. */
  readonly donate: boolean;
}

export type Node = Source | Step;

export interface Source {
  readonly kind: "source";
  readonly dtype: DType;
  readonly shape: Shape;
  readonly values: readonly number[];
  /** Whether the compiled function closes over it, instead of taking it as an argument. */
  readonly captured: boolean;
}

/** A method of the first argument, or a function of `@gradus/tensor`. */
export interface Step {
  readonly kind: "step";
  readonly name: string;
  readonly args: readonly Argument[];
  /** Whether a small change of an operand may change the result much, as in `floor`. */
  readonly rough: boolean;
}

/** The value of an earlier node. */
export class Ref {
  constructor(readonly node: number) {}
}

export type Argument =
  | Ref
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Argument[]
  | { readonly [option: string]: Argument };

export function isSource(node: Node): node is Source {
  return node.kind === "source";
}

/** The nodes that a node reads. */
export function refsOf(node: Node): number[] {
  const found: number[] = [];
  const visit = (argument: Argument): void => {
    if (argument instanceof Ref) found.push(argument.node);
    else if (typeof argument === "object" && argument !== null)
      for (const part of Object.values(argument)) visit(part);
  };
  if (node.kind === "step") node.args.forEach(visit);
  return found;
}

/** The argument with its references replaced. */
export function mapRefs<T>(argument: Argument, f: (ref: Ref) => T): unknown {
  if (argument instanceof Ref) return f(argument);
  if (Array.isArray(argument)) return argument.map((part) => mapRefs(part, f));
  if (typeof argument !== "object" || argument === null) return argument;
  return Object.fromEntries(
    Object.entries(argument).map(([key, part]) => [key, mapRefs(part as Argument, f)]),
  );
}

export function makeSource(source: Source, device: Backend): Tensor {
  const { dtype, shape } = source;
  return tensors.tensor(Float64Array.from(source.values), { dtype, shape, device });
}

/** The function that a step names, unless it names a method. */
function functionOf(name: string): ((...args: unknown[]) => Tensor) | undefined {
  return (tensors as unknown as Record<string, (...args: unknown[]) => Tensor>)[name];
}

/** Calls what a step names. */
export function applyStep(step: Step, resultOf: (node: number) => Tensor): Tensor {
  const args = step.args.map((argument) => mapRefs(argument, (ref) => resultOf(ref.node)));
  const known = functionOf(step.name);
  if (known !== undefined) return known(...args);
  const [first, ...rest] = args;
  const method = (first as Record<string, unknown>)[step.name] as (...args: unknown[]) => Tensor;
  return method.apply(first, rest);
}

/** All values of a program, given those of its sources; `after` may replace the result of a step. */
export function runProgram(
  program: Program,
  sourceOf: (node: number) => Tensor,
  after: (result: Tensor, step: Step) => Tensor = (result) => result,
): Tensor[] {
  const values: Tensor[] = [];
  program.nodes.forEach((node, i) => {
    if (isSource(node)) values.push(sourceOf(i));
    else
      values.push(
        after(
          applyStep(node, (k) => values[k] as Tensor),
          node,
        ),
      );
  });
  return values;
}

/** The program as TypeScript. */
export function toCode(program: Program): string {
  const lines = program.nodes.map(
    (node, i) => `const t${i} = ${isSource(node) ? sourceCode(node) : stepCode(node)};`,
  );
  return [...lines, `return [${program.outputs.map((i) => `t${i}`).join(", ")}];`].join("\n");
}

function sourceCode({ values, shape, dtype, captured }: Source): string {
  const made = `tensor(new Float64Array([${values.map(numberCode).join(", ")}]), ${argumentCode({ shape, dtype })})`;
  return captured ? `${made} /* captured */` : made;
}

function stepCode({ name, args }: Step): string {
  const [first, ...rest] = args.map(argumentCode);
  if (functionOf(name) !== undefined) return `${name}(${[first, ...rest].join(", ")})`;
  return `${first}.${name}(${rest.join(", ")})`;
}

function argumentCode(argument: Argument): string {
  if (argument instanceof Ref) return `t${argument.node}`;
  if (typeof argument === "number") return numberCode(argument);
  if (Array.isArray(argument)) return `[${argument.map(argumentCode).join(", ")}]`;
  if (typeof argument !== "object" || argument === null) return JSON.stringify(argument) ?? "undefined";
  const parts = Object.entries(argument).map(([key, part]) => `${key}: ${argumentCode(part as Argument)}`);
  return `{ ${parts.join(", ")} }`;
}

function numberCode(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
