import {
  type Aval,
  type Backend,
  bytesOf,
  castNumber,
  contiguousLayout,
  currentObserver,
  currentOperandCast,
  type DType,
  fail,
  type Layout,
  type Op,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { applyBatched } from "./batching/apply-batched.js";
import { innermostMap } from "./batching/batch-map.js";
import { currentTrace, type Trace } from "./compile/trace.js";
import { copyOf } from "./copy.js";
import { checkHas, countWork, defaultDevice, executableFor } from "./device.js";
import { asGradusTensor, type GradusTensor, stored } from "./gradus-tensor.js";
import { throughFloat32 } from "./half-natives.js";
import { lower } from "./lowering/lower.js";
import { realise } from "./lowering/realise.js";
import { notify } from "./notify.js";
import { remember } from "./record.js";
import { Storage } from "./storage.js";

/**
 * Runs an operation: checks its inputs, computes it now or appends it to the trace, and remembers it where somebody
 * differentiates. Every operation of the library passes through here.
 *
 * @param device where an operation without inputs runs
 */
export function apply<A>(op: Op<A>, inputs: readonly Tensor[], attrs: A, device?: Backend): GradusTensor[] {
  const name = op.label?.(attrs) ?? op.name;
  const operandCast = currentOperandCast();
  const ins = (operandCast?.(name, inputs) ?? inputs).map((x) => asGradusTensor(name, x));
  const trace = currentTrace();
  const place = deviceOf(name, ins, trace?.device ?? device);
  const map = innermostMap(ins);
  const widened = throughFloat32(op, ins, attrs);
  if (widened !== undefined) return widened;
  const outputs =
    map !== undefined ? applyBatched(map, op, ins, attrs) : compute(op, ins, attrs, place, trace);
  remember(op, ins, attrs, outputs, map);
  if (currentObserver() !== undefined) notify(name, op, ins, attrs, outputs);
  return outputs;
}

function compute<A>(
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
  device: Backend,
  trace: Trace | undefined,
): GradusTensor[] {
  const avals = op.infer(inputs, attrs);
  for (const { dtype } of avals) checkHas(op.label?.(attrs) ?? op.name, device, dtype);
  if (trace !== undefined) return trace.append(op, inputs, attrs, avals);
  return execute(op, inputs, attrs, avals, device);
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
  const lowered = lower(op, layouts, attrs, avals);
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
  const bytes = sizeOf(aval.shape) * bytesOf(aval.dtype);
  return stored(aval, new Storage(device, device.alloc(bytes)), contiguousLayout(aval));
}

/** A tensor that sees `x`'s elements through another layout. */
export function viewOf(x: GradusTensor, layout: Layout): GradusTensor {
  return stored(layout, storageOf(x).retain(), layout);
}

export function storageOf(x: GradusTensor): Storage {
  if (x.value.kind !== "stored") return failTraced("read");
  return x.value.storage;
}

export function layoutOf(op: string, x: GradusTensor): Layout {
  if (x.value.kind !== "stored") return failTraced(op);
  return x.value.layout;
}

function failTraced(op: string): never {
  return fail(
    "value-in-trace",
    `${op}: this tensor stands for a value of a compiled function and left it. Return it from the function instead`,
  );
}
