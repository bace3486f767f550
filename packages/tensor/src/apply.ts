import {
  type Aval,
  type Backend,
  bytesOf,
  castNumber,
  contiguousLayout,
  type DType,
  fail,
  type GradNode,
  type History,
  isFloat,
  type Layout,
  type Level,
  type Op,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { currentTrace } from "./compile/trace.js";
import { copyOf } from "./copy.js";
import { countWork, defaultDevice, executableFor } from "./device.js";
import { asGradusTensor, GradusTensor, stored } from "./gradus-tensor.js";
import { realise } from "./lowering/realise.js";
import { Storage } from "./storage.js";

/**
 * Runs an operation: checks its inputs, computes it now or appends it to the trace, and remembers it where somebody
 * differentiates. Every operation of the library passes through here.
 *
 * @param device where an operation without inputs runs
 */
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A, device?: Backend): GradusTensor[] {
  const name = op.label?.(attrs) ?? op.name;
  const ins = inputs.map((x) => asGradusTensor(name, x));
  const trace = currentTrace();
  const place = deviceOf(name, ins, trace?.device ?? device);
  const avals = op.infer(ins, attrs);
  const outputs =
    trace !== undefined ? trace.append(op, ins, attrs, avals) : execute(op, ins, attrs, avals, place);
  remember(op, ins, attrs, outputs);
  return outputs;
}

/** {@link apply} of an operation with one output. */
export function applyOne<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A, device?: Backend): GradusTensor {
  return apply(op, inputs, attrs, device)[0] as GradusTensor;
}

function deviceOf(op: string, inputs: readonly GradusTensor[], fallback: Backend | undefined): Backend {
  const device = inputs[0]?.device ?? fallback ?? defaultDevice();
  for (const x of inputs) {
    if (x.device !== device) {
      fail(
        "device-mismatch",
        `${op}: tensors of two devices, ${device.name} and ${x.device.name}. Move one: await x.to(device)`,
      );
    }
  }
  return device;
}

/** Computes an operation on stored tensors, now. */
function execute<A>(
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
  avals: readonly Aval[],
  device: Backend,
): GradusTensor[] {
  const layouts = inputs.map((x) => layoutOf(op.name, x));
  const lowered = op.lower(layouts, attrs, avals);
  if (lowered.kind === "view") return [viewOf(inputs[0] as GradusTensor, lowered.layout)];
  const outputs = avals.map((aval) => allocate(device, aval));
  if (avals.every((aval) => sizeOf(aval.shape) === 0)) return outputs;
  const { key, build, sizes, params, dense } = realise(lowered, layouts, avals);
  const temporary: GradusTensor[] = [];
  const sources = inputs.map((x, i) => {
    if (!dense.includes(i)) return storageOf(x);
    const copy = copyOf(x);
    temporary.push(copy);
    return storageOf(copy);
  });
  const executable = executableFor(device, key, build, sizes);
  device.run([
    {
      executable,
      buffers: [...sources, ...outputs.map(storageOf)].map((storage) => storage.buffer),
      sizes,
      params: params.map((value, i) =>
        castNumber(typeof value === "number" ? value : value.value, executable.kernel.params[i] as DType),
      ),
    },
  ]);
  for (const copy of temporary) copy.dispose();
  countWork(
    device,
    sizes.reduce((a, b) => a * b, 1),
  );
  return outputs;
}

export function allocate(device: Backend, aval: Aval): GradusTensor {
  if (!device.caps.dtypes.includes(aval.dtype)) {
    fail("unsupported", `${device.name} has no ${aval.dtype}: it supports ${device.caps.dtypes.join(", ")}`);
  }
  const bytes = sizeOf(aval.shape) * bytesOf(aval.dtype);
  return stored(aval, new Storage(device, device.alloc(bytes)), contiguousLayout(aval));
}

/** A tensor that sees `x`'s elements through another layout. */
export function viewOf(x: GradusTensor, layout: Layout): GradusTensor {
  return stored(layout, storageOf(x).retain(), layout);
}

export function storageOf(x: GradusTensor): Storage {
  if (x.value.kind === "traced") return failTraced("read");
  return x.value.storage;
}

export function layoutOf(op: string, x: GradusTensor): Layout {
  if (x.value.kind === "traced") return failTraced(op);
  return x.value.layout;
}

function failTraced(op: string): never {
  return fail(
    "value-in-trace",
    `${op}: this tensor stands for a value of a compiled function and left it. Return it from the function instead`,
  );
}

let nextNodeId = 0;

/** Links outputs to their inputs if a differentiation is in progress that the inputs matter to. */
function remember<A>(
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
  outputs: readonly GradusTensor[],
): void {
  const levels = openLevels(inputs);
  if (levels.length === 0 || !outputs.some((y) => isFloat(y.dtype))) return;
  link(op.label?.(attrs) ?? op.name, inputs, outputs, levels, (cotangents, needs) => {
    if (op.vjp === undefined) return fail("not-differentiable", `${op.name} has no derivative`);
    return op.vjp({ cotangents, inputs, outputs, attrs, needs });
  });
}

/** The differentiations in progress that any of the inputs matters to. */
export function openLevels(inputs: readonly Tensor[]): readonly Level[] {
  let found: readonly Level[] = none;
  for (const { history } of inputs) {
    if (history === undefined) continue;
    const open = history.levels.every((level) => level.open)
      ? history.levels
      : history.levels.filter((level) => level.open);
    if (found.length === 0) found = open;
    else if (found !== open) found = [...new Set([...found, ...open])];
  }
  return found;
}

const none: readonly Level[] = [];

/** Makes `outputs` the outputs of a new node. */
export function link(
  name: string,
  inputs: readonly Tensor[],
  outputs: readonly GradusTensor[],
  levels: readonly Level[],
  vjp: GradNode["vjp"],
): void {
  const node: GradNode = { id: nextNodeId++, name, inputs, values: outputs, vjp };
  if (name !== "watch") for (const level of levels) level.used = true;
  outputs.forEach((y, output) => {
    if (isFloat(y.dtype)) (y as { history: History | undefined }).history = { node, output, levels };
  });
}

/** An alias of `x`: the same elements, no history yet. */
export function aliasOf(x: GradusTensor): GradusTensor {
  if (x.value.kind === "traced") return new GradusTensor(x, x.value);
  return viewOf(x, x.value.layout);
}
