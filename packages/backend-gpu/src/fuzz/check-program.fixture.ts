import { grad } from "@gradus/autograd";
import {
  type Backend,
  type DType,
  interpreter,
  isFloat,
  isGradusError,
  type Shape,
  type Tensor,
  type TypedArray,
} from "@gradus/core";
import {
  applyStep,
  isSource,
  makeSource,
  type Program,
  Random,
  refsOf,
  runProgram,
  type Source,
  type Step,
} from "@gradus/fuzz";
import { compile, openScope, tensor } from "@gradus/tensor";

/** Rounds each operation to f32. */
export const reference = interpreter({ precision: "float32", collected: true });
const precise = interpreter();

/** A tensor's contents, on the host. */
interface Result {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: TypedArray;
}

export interface Checked {
  readonly problem?: string;
  /** Whether the program as a whole, and its gradient, could be compared. */
  readonly compared: boolean;
}

/**
 * Runs a program on a device: each step on what the interpreter, rounding to f32, computed before it; the whole compiled, where
 * rounding cannot have made another value of it; and its gradient compiled. All is read at once.
 */
export async function checkProgram(program: Program, device: Backend): Promise<Checked> {
  const open = openScope();
  try {
    const values = open.run(() =>
      runProgram(program, (i) => makeSource(program.nodes[i] as Source, reference)),
    );
    const expected = values.map(resultOf);
    const isTame = isTameProgram(program, expected);
    const steps = open.run(() => stepsOn(device, program, expected));
    const whole = isTame ? open.run(() => runCompiled(program, device)) : [];
    const gradient = isTame ? open.run(() => gradientOn(program, device, true)) : undefined;
    const all = await Promise.all(
      [...steps.map(({ y }) => y), ...whole, ...(gradient ?? [])].map(async (y) => ({
        shape: y.shape,
        dtype: y.dtype,
        data: await y.read(),
      })),
    );
    const problem =
      firstOf(
        steps.map(({ node }, k) => [`step t${node}`, stepDiffers(all[k] as Result, program, node, expected)]),
      ) ??
      (isTame ? wholeDiffers(program, all.slice(steps.length, steps.length + whole.length)) : undefined) ??
      (gradient === undefined ? undefined : gradientDiffers(program, all.slice(steps.length + whole.length)));
    return problem === undefined ? { compared: isTame } : { problem, compared: isTame };
  } catch (error) {
    return {
      problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
      compared: false,
    };
  } finally {
    open.dispose();
  }
}

function resultOf(x: Tensor): Result {
  return { shape: x.shape, dtype: x.dtype, data: x.data() };
}

function firstOf(found: readonly (readonly [string, string | undefined])[]): string | undefined {
  const first = found.find(([, problem]) => problem !== undefined);
  return first && `${first[0]}: ${first[1]}`;
}

function stepsOn(
  device: Backend,
  program: Program,
  expected: readonly Result[],
): { node: number; y: Tensor }[] {
  return program.nodes.flatMap((node, i) => {
    if (isSource(node)) return [];
    const operand = (k: number): Tensor => {
      const { data, shape, dtype } = expected[k] as Result;
      return tensor(data, { shape, dtype, device });
    };
    return [{ node: i, y: applyStep(node, operand) }];
  });
}

/** One step on the same operands: its own rounding is all that may differ. */
function stepDiffers(
  got: Result,
  program: Program,
  node: number,
  expected: readonly Result[],
): string | undefined {
  const want = expected[node] as Result;
  const operands = refsOf(program.nodes[node] as Program["nodes"][number]).map((k) => expected[k] as Result);
  const scale = Math.max(1, ...[want, ...operands].map(({ data }) => largest(data)));
  // What is rounded to f16 may be so the other way.
  const step = want.dtype === "f16" ? 2 ** -10 : isFloat(want.dtype) ? 2e-6 : 0;
  return differs(got, want, step * scale, scale > (want.dtype === "f16" ? 6e4 : 1e30));
}

function runCompiled(program: Program, device: Backend): readonly Tensor[] {
  const sources = program.nodes.flatMap((node, i) => (isSource(node) ? [i] : []));
  const compiled = compile((xs: readonly Tensor[]) => {
    const values = runProgram(program, (i) => xs[sources.indexOf(i)] as Tensor);
    return program.outputs.map((i) => values[i] as Tensor);
  });
  try {
    return compiled(sources.map((i) => makeSource(program.nodes[i] as Source, device)));
  } finally {
    compiled.dispose();
  }
}

type After = (x: Tensor) => Tensor;

/** Moves each f32 result by a unit in the last place, up or down. */
function shaking(): After {
  const random = new Random(1);
  return (x) => {
    if (x.dtype !== "f32" || x.size === 0) return x;
    const factors = Float32Array.from({ length: x.size }, () => 1 + (random.chance(0.5) ? 1 : -1) * 2 ** -23);
    return x.mul(tensor(factors, { shape: x.shape, device: precise }));
  };
}

/** Compares with float64, by what two shaken runs of it say that rounding may do. */
function wholeDiffers(program: Program, got: readonly Result[]): string | undefined {
  const run = (after?: After): Result[] =>
    runProgram(program, (i) => makeSource(program.nodes[i] as Source, precise), after).map(resultOf);
  const [exact, ...shaken] = [run(), run(shaking()), run(shaking())];
  return firstOf(
    program.outputs.map((i, k) => {
      const want = exact?.[i] as Result;
      const allowed = allowedFor(
        want,
        shaken.map((all) => all[i] as Result),
      );
      return [
        `t${i}, compiled`,
        allowed === undefined ? undefined : differs(got[k] as Result, want, allowed, false),
      ];
    }),
  );
}

/** The gradient by all floats of all float outputs, weighted unevenly; undefined where there is none. */
function gradientOn(
  program: Program,
  device: Backend,
  isCompiled: boolean,
  after?: After,
): readonly Tensor[] | undefined {
  const isParam = (i: number): boolean => {
    const node = program.nodes[i] as Source;
    return isSource(node) && isFloat(node.dtype);
  };
  const params = program.nodes.flatMap((_, i) => (isParam(i) ? [i] : []));
  if (params.length === 0) return undefined;
  const make = (i: number): Tensor => makeSource(program.nodes[i] as Source, device);
  const gradient = grad((ps: readonly Tensor[], rest: readonly (Tensor | undefined)[]) => {
    const values = runProgram(
      program,
      (i) => (isParam(i) ? ps[params.indexOf(i)] : rest[i]) as Tensor,
      after,
    );
    return program.outputs
      .map((i) => values[i] as Tensor)
      .filter((y) => isFloat(y.dtype))
      .map((y) => y.mul(weights(y, device)).sum())
      .reduce((a, b) => a.add(b), (ps[0] as Tensor).sum().mul(0.5));
  });
  const rest = program.nodes.map((node, i) => (isSource(node) && !isParam(i) ? make(i) : undefined));
  const call = isCompiled ? compile(gradient) : gradient;
  try {
    return call(params.map(make), rest) as readonly Tensor[];
  } catch (error) {
    // Some operations have no gradient, which the interpreter says too.
    if (isGradusError(error, "not-differentiable") || isGradusError(error, "unsupported")) return undefined;
    throw error;
  } finally {
    if ("dispose" in call) (call as { dispose(): void }).dispose();
  }
}

function gradientDiffers(program: Program, got: readonly Result[]): string | undefined {
  const run = (after?: After): Result[] => (gradientOn(program, precise, false, after) ?? []).map(resultOf);
  const [exact, ...shaken] = [run(), run(shaking()), run(shaking())] as [Result[], ...Result[][]];
  return firstOf(
    exact.map((want, k) => {
      const allowed = allowedFor(
        want,
        shaken.map((all) => all[k] as Result),
      );
      return [
        `gradient ${k}`,
        allowed === undefined ? undefined : differs(got[k] as Result, want, allowed, false),
      ];
    }),
  );
}

function weights(y: Tensor, device: Backend): Tensor {
  const values = Float64Array.from({ length: y.size }, (_, i) => 0.5 + ((i * 0.618) % 1));
  return tensor(values, { shape: y.shape, dtype: y.dtype, device });
}

/** By how much a result may differ, given shaken runs of it; undefined where they leave its domain. */
function allowedFor(want: Result, shaken: readonly Result[]): number | undefined {
  let [scale, spread] = [1, 0];
  want.data.forEach((x, k) => {
    scale = Math.max(scale, Math.abs(x));
    for (const { data } of shaken) spread = Math.max(spread, Math.abs((data[k] as number) - x));
  });
  if (!Number.isFinite(spread) || !Number.isFinite(scale)) return undefined;
  return isFloat(want.dtype) ? 1e-5 * scale + 64 * spread : 64 * spread;
}

/** Whether float64 must give nearly the same: nothing infinite, nothing that f32 cannot hold, no f16, no jumps. */
function isTameProgram(program: Program, results: readonly Result[]): boolean {
  // A sign is rough too: that of sin(2 pi) is one of rounding.
  const isRough = ({ rough, name }: Step): boolean => rough || name === "copysign";
  if (program.nodes.some((node) => node.kind === "step" && isRough(node))) return false;
  return results.every(({ data, dtype }) => dtype !== "f16" && data.every((x) => Math.abs(x) < 1e5));
}

/** How results differ. With `isHuge`, what overflows lies within rounding of what does not. */
function differs(got: Result, want: Result, allowed: number, isHuge: boolean): string | undefined {
  if (String(got.shape) !== String(want.shape)) return `shape [${got.shape}], not [${want.shape}]`;
  const wrong = want.data.findIndex((x, k) => {
    const y = got.data[k] as number;
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) return false;
    if (isHuge && !Number.isNaN(x) && !Number.isNaN(y)) return false;
    return !(Math.abs(x - y) <= allowed);
  });
  return wrong < 0
    ? undefined
    : `element ${wrong} is ${got.data[wrong]}, not ${want.data[wrong]} (allowed: ${allowed})`;
}

function largest(data: TypedArray): number {
  let most = 0;
  for (const x of data) if (Number.isFinite(x)) most = Math.max(most, Math.abs(x));
  return most;
}
