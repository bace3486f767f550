import { grad } from "@gradus/autograd";
import {
  type Backend,
  type DType,
  type ErrorCode,
  interpreter,
  isFloat,
  isGradusError,
  type Shape,
  type Tensor,
  type TypedArray,
} from "@gradus/core";
import { isSource, makeSource, type Program, Random, runProgram, type Source } from "@gradus/fuzz";
import { compile, scope, tensor } from "@gradus/tensor";

/** Each operation rounds, as on a device; and every buffer must be given back. */
export const device = interpreter({ precision: "float32", collected: false });
const precise = interpreter({ collected: false });

/** What a check found: nothing, or what is wrong. `compared` tells whether float64 was a fit comparison. */
export interface Outcome {
  readonly problem?: string;
  readonly compared: boolean;
}

/**
 * Checks a program: compiled equals eager to the last bit, also when called again; so do its gradients; float64 agrees
 * within what rounding explains; and no memory is left behind.
 */
export function checkProgram(program: Program): Outcome {
  const before = device.memory().buffers;
  let compared = false;
  const problem = attempt(() => {
    const eager = runEager(program, device);
    const problem = checkCompiled(program, eager) ?? checkGradient(program);
    if (problem !== undefined) return problem;
    compared = isTame(program, eager);
    return compared ? checkPrecise(program, eager) : undefined;
  });
  if (problem !== undefined) return { problem, compared };
  const left = device.memory().buffers - before;
  return left === 0 ? { compared } : { problem: `${left} buffers were not given back`, compared };
}

/** The message of what `f` returns or throws. */
function attempt(f: () => string | undefined): string | undefined {
  try {
    return f();
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** A tensor's contents, on the host. */
interface Result {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

function resultOf(x: Tensor): Result {
  return { shape: x.shape, dtype: x.dtype, data: x.data() };
}

/** The results of all nodes. */
function runEager(program: Program, on: Backend, after?: (x: Tensor) => Tensor): Result[] {
  let results: Result[] = [];
  scope(() => {
    results = runProgram(program, (i) => makeSource(program.nodes[i] as Source, on), after).map(resultOf);
  });
  return results;
}

/** The sources that a compiled function takes as arguments, by node; and the others, made once. */
function splitSources(program: Program): { args: number[]; captured: number[] } {
  const args: number[] = [];
  const captured: number[] = [];
  program.nodes.forEach((node, i) => {
    if (isSource(node)) (node.captured ? captured : args).push(i);
  });
  return { args, captured };
}

function checkCompiled(program: Program, eager: readonly Result[]): string | undefined {
  const { args, captured } = splitSources(program);
  const closed = new Map(captured.map((i) => [i, makeSource(program.nodes[i] as Source, device)]));
  const compiled = compile(
    (xs: readonly Tensor[]) => {
      const values = runProgram(program, (i) => closed.get(i) ?? (xs[args.indexOf(i)] as Tensor));
      return program.outputs.map((i) => values[i] as Tensor);
    },
    program.donate ? { donate: [0] } : {},
  );
  try {
    for (const call of ["first", "second"]) {
      const inputs = args.map((i) => makeSource(program.nodes[i] as Source, device));
      const outputs = compiled(inputs);
      if (call === "first") for (const x of closed.values()) x.dispose();
      const problem = program.outputs
        .map((i, k) => {
          const difference = differs(eager[i] as Result, resultOf(outputs[k] as Tensor));
          return difference && `t${i}, compiled (${call} call): ${difference}`;
        })
        .find((one) => one !== undefined);
      for (const x of [...inputs, ...outputs]) x.dispose();
      if (problem !== undefined) return problem;
    }
    return undefined;
  } finally {
    for (const x of closed.values()) x.dispose();
    compiled.dispose();
  }
}

/** The gradient by all floats that are arguments, of all float outputs weighted unevenly: eager and compiled. */
function checkGradient(program: Program): string | undefined {
  const isParam = (i: number): boolean => {
    const node = program.nodes[i] as Source;
    return isSource(node) && isFloat(node.dtype) && !node.captured;
  };
  const params = program.nodes.flatMap((_, i) => (isParam(i) ? [i] : []));
  const others = program.nodes.flatMap((node, i) => (isSource(node) && !isParam(i) ? [i] : []));
  if (params.length === 0) return undefined;
  const loss = (ps: readonly Tensor[], rest: readonly Tensor[]): Tensor => {
    const values = runProgram(
      program,
      (i) => (isParam(i) ? ps[params.indexOf(i)] : rest[others.indexOf(i)]) as Tensor,
    );
    const terms = program.outputs
      .map((i) => values[i] as Tensor)
      .filter((y) => isFloat(y.dtype))
      .map((y) => y.mul(weights(y)).sum());
    // Something to differentiate, even where nothing depends on the parameters.
    const floor = (ps[0] as Tensor).sum().mul(0.5);
    return terms.reduce((a, b) => a.add(b), floor);
  };
  const gradient = grad(loss);
  const make = (nodes: readonly number[]): Tensor[] =>
    nodes.map((i) => makeSource(program.nodes[i] as Source, device));
  const run = (f: typeof gradient): readonly Result[] | ErrorCode => {
    try {
      let results: Result[] = [];
      scope(() => {
        results = f(make(params), make(others)).map(resultOf);
      });
      return results;
    } catch (error) {
      if (isGradusError(error)) return error.code;
      throw error;
    }
  };
  const compiled = compile(gradient);
  try {
    const [eager, replayed] = [run(gradient), run(compiled as typeof gradient)];
    if (typeof eager === "string" || typeof replayed === "string") {
      return eager === replayed
        ? undefined
        : `gradient: eager ${outcome(eager)}, compiled ${outcome(replayed)}`;
    }
    return eager
      .map((result, k) => {
        const difference = differs(result, replayed[k] as Result);
        return difference && `gradient by t${params[k]}, compiled: ${difference}`;
      })
      .find((one) => one !== undefined);
  } finally {
    compiled.dispose();
  }
}

function outcome(x: readonly Result[] | ErrorCode): string {
  return typeof x === "string" ? `throws "${x}"` : "gives a result";
}

/** Weights from 0.5 to 1.5, the same for the same shape. */
function weights(y: Tensor): Tensor {
  const values = Float64Array.from({ length: y.size }, (_, i) => 0.5 + ((i * 0.618) % 1));
  return tensor(values, { shape: y.shape, dtype: y.dtype, device: y.device });
}

/** Whether float64 must give nearly the same: nothing infinite, nothing that f32 cannot hold, no f16, no jumps. */
function isTame(program: Program, eager: readonly Result[]): boolean {
  if (program.nodes.some((node) => node.kind === "step" && node.rough)) return false;
  return eager.every(({ data, dtype }) => dtype !== "f16" && data.every((x) => Math.abs(x) < 1e5));
}

/**
 * Compares with float64. What rounding may do is measured: the program is run in float64 with each f32 result moved by
 * about half a unit in the last place, and the outcome may differ by a multiple of what that changes.
 */
function checkPrecise(program: Program, eager: readonly Result[]): string | undefined {
  const exact = runEager(program, precise);
  const random = new Random(1);
  const shake = (x: Tensor): Tensor => {
    if (x.dtype !== "f32" || x.size === 0) return x;
    const values = Float32Array.from({ length: x.size }, () => 1 + (random.chance(0.5) ? 1 : -1) * 2 ** -23);
    return x.mul(tensor(values, { shape: x.shape, device: precise }));
  };
  const shaken = [runEager(program, precise, shake), runEager(program, precise, shake)];
  for (const [i, { data, dtype, shape }] of exact.entries()) {
    const actual = eager[i] as Result;
    if (actual.dtype !== dtype || String(actual.shape) !== String(shape)) {
      return `t${i}: ${describe(actual)} in float32, ${describe(exact[i] as Result)} in float64`;
    }
    let scale = 1;
    let spread = 0;
    data.forEach((x, k) => {
      scale = Math.max(scale, Math.abs(x));
      for (const run of shaken)
        spread = Math.max(
          spread,
          Math.abs((run[i] as Result).data[k] as number) - x,
          x - (run[i]?.data[k] as number),
        );
    });
    // The edge of a domain, such as asin(1), lies within the rounding.
    if (Number.isNaN(spread)) continue;
    const allowed = isFloat(dtype) ? 1e-5 * scale + 64 * spread : 64 * spread;
    const wrong = data.findIndex((x, k) => !(Math.abs((actual.data[k] as number) - x) <= allowed));
    if (wrong >= 0) {
      return `t${i}: element ${wrong} is ${actual.data[wrong]} in float32, ${data[wrong]} in float64 (allowed: ${allowed})`;
    }
  }
  return undefined;
}

function describe({ dtype, shape }: Result): string {
  return `${dtype}[${shape.join(", ")}]`;
}

/** How two results differ; undefined if they are the same to the last bit (NaNs are all one). */
function differs(expected: Result, actual: Result): string | undefined {
  if (describe(expected) !== describe(actual)) return `${describe(actual)} instead of ${describe(expected)}`;
  const wrong = expected.data.findIndex((x, k) => !Object.is(x, actual.data[k]));
  return wrong < 0 ? undefined : `element ${wrong} is ${actual.data[wrong]}, eager ${expected.data[wrong]}`;
}
