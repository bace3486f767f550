import type { DType, Expr, LoopKernel } from "@gradus/core";
import { ARGUMENTS, Bindings, bufferOf, loaded, stored } from "./bindings.js";
import { Expressions } from "./expressions.js";
import { Lowering } from "./lower.js";
import { storedAs } from "./operations.js";
import { assemble, entryPoint, type Shader } from "./shader.js";

/** Whether a kernel maps elements of one axis to elements at the same place, so that four may be taken at a time. */
export function isVectorizable(kernel: LoopKernel): boolean {
  const { axes, grid, stages, writes, checks = [] } = kernel;
  return (
    axes === 1 &&
    grid === 1 &&
    stages.length === 0 &&
    checks.length === 0 &&
    writes.every(({ index }) => isPoint(index)) &&
    kernel.outputs.length === writes.length
  );
}

function isPoint(index: Expr): boolean {
  return index.kind === "axis" && index.axis === 0;
}

/** The shader of a kernel that is `isVectorizable`: a thread computes four elements, which it loads and stores at once. */
export function vectorShader(kernel: LoopKernel, limit: number): Shader | undefined {
  const buffers = new Set([...kernel.inputs, ...kernel.outputs].map((_, k) => k));
  const roots = kernel.writes.map((write) => write.value);
  const bindings = new Bindings(kernel, { axes: 1, limit, roots, vectors: buffers });
  if (bindings.packed.length > 0) return undefined;
  // Inputs that are loaded at the element itself come in as arguments.
  const lanes = new Map<number, string>();
  const lowering = new Lowering();
  const expressions = new Expressions(lowering, {
    axis: () => "a0",
    size: (axis) => bindings.size(axis),
    param: (index) => bindings.param(index),
    stage: () => "",
    load: (buffer, index) => {
      if (index !== "a0") return bindings.load(buffer, index);
      lanes.set(buffer, kernel.inputs[buffer] as DType);
      return loaded(kernel.inputs[buffer] as DType, `x${buffer}`);
    },
  });
  const results = kernel.writes.map(({ value }) => expressions.value(value));
  const text = expressions.close();
  const outputs = kernel.writes.map((write) => kernel.outputs[write.buffer] as DType);
  const fields = outputs.map((dtype, k) => `r${k}: ${storedAs(dtype)}`);
  const values = outputs.map((dtype, k) => stored(dtype, results[k] as string));
  const inputs = [...lanes].map(([buffer, dtype]) => ({ buffer, dtype: dtype as DType }));
  const parameters = ["a0: i32", ...inputs.map(({ buffer, dtype }) => `x${buffer}: ${storedAs(dtype)}`)];
  const argsOf = (lane: string): string =>
    [`i32(point) * 4 + i32(${lane})`, ...inputs.map(({ buffer }) => `v${buffer}[${lane}]`)].join(", ");
  const body = [
    "let point = block * 64u + lane;",
    `if (point * 4u >= ${bindings.word(ARGUMENTS.points)}) { return; }`,
    ...inputs.map(({ buffer }) => `let v${buffer} = ${bindings.name(bufferOf(kernel, buffer))}[point];`),
    ...outputs.map((dtype, k) => `var r${k} = vec4<${storedAs(dtype)}>();`),
    "for (var i = 0u; i < 4u; i += 1u) {",
    `let p = compute(${argsOf("i")});`,
    ...kernel.writes.map((_, k) => `r${k}[i] = p.r${k};`),
    "}",
    ...kernel.writes.map(
      (write, k) => `${bindings.name(kernel.inputs.length + write.buffer)}[point] = r${k};`,
    ),
  ];
  const compute = `struct Point { ${fields.join(", ")} }
fn compute(${parameters.join(", ")}) -> Point {
${text}
return Point(${values.join(", ")});
}`;
  return {
    code: assemble(bindings.text, `${compute}\n${entryPoint(64, body.join("\n"))}`),
    bindings: bindings.list,
    packed: [],
    words: bindings.words,
  };
}
