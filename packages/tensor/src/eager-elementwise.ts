import {
  type Backend,
  type Buffer,
  bytesOf,
  castNumber,
  computeDType,
  contiguousLayout,
  currentObserver,
  type DType,
  isContiguous,
  isFloat,
  type Launch,
  type Operand,
  type ScalarOp,
  sameShape,
} from "@gradus/core";
import { currentTrace } from "./compile/trace.js";
import { countWork, executableFor } from "./device.js";
import { GradusTensor, type TensorValue } from "./gradus-tensor.js";
import { realise } from "./lowering/realise.js";
import { type ElementwiseAttrs, elementwise } from "./ops/elementwise.js";
import { Storage } from "./storage.js";

/*
 * Eager code spends its time in small operations on operands that are alike, and there the way from the method to the
 * kernel costs more than the kernel. This remembers where it led: the launch of a row of the scalar table on a device.
 */

type Stored = Extract<TensorValue, { kind: "stored" }>;

/** What an operation on dense operands of one float dtype runs. */
interface Remembered {
  readonly dtype: DType;
  /** Which operands are plain numbers, as bits. */
  readonly numbers: number;
  readonly result: DType;
  /** One launch, used again and again: its buffers and numbers are those of the call in progress. */
  readonly program: readonly Launch[];
  readonly buffers: (Buffer | undefined)[];
  readonly sizes: number[];
  readonly params: number[];
}

const remembered = new WeakMap<Backend, Map<ScalarOp, Remembered[]>>();

/**
 * The result of an operation whose operands are plain numbers and dense tensors of one shape, device and float dtype, that
 * nobody differentiates by, if it was computed before ({@link remember}); else undefined.
 */
export function runRemembered(op: ScalarOp, operands: readonly Operand[]): GradusTensor | undefined {
  const first = operands[0];
  if (!isPlain(first) || operands.length !== op.arity) return undefined;
  const { dtype, shape, size } = first;
  const { storage, layout } = first.value as Stored;
  const numbers = numbersOf(operands, first);
  if (numbers < 0 || currentTrace() !== undefined || currentObserver() !== undefined) return undefined;
  const { device } = storage;
  const known = remembered.get(device)?.get(op);
  if (known === undefined) return undefined;
  for (let k = 0; k < known.length; k++) {
    const found = known[k] as Remembered;
    if (found.dtype !== dtype || found.numbers !== numbers) continue;
    const { buffers, sizes, params, result } = found;
    const output = device.alloc(size * bytesOf(result));
    let at = 0;
    let param = 0;
    for (let i = 0; i < operands.length; i++) {
      const operand = operands[i];
      if (typeof operand === "number") params[param++] = castNumber(operand, computeDType(dtype));
      else buffers[at++] = ((operand as GradusTensor).value as Stored).storage.buffer;
    }
    buffers[at] = output;
    sizes[0] = size;
    try {
      device.run(found.program);
    } finally {
      // Nothing is kept alive from here.
      for (let i = 0; i <= at; i++) buffers[i] = undefined;
    }
    countWork(device, size);
    const aval = result === dtype ? layout : contiguousLayout({ shape, dtype: result });
    return new GradusTensor(aval, { kind: "stored", storage: new Storage(device, output), layout: aval });
  }
  return undefined;
}

/** Notes what the operation runs, for the next call with operands like these. */
export function remember(op: ScalarOp, operands: readonly Operand[], attrs: ElementwiseAttrs): void {
  const first = operands[0];
  if (!isPlain(first) || currentTrace() !== undefined) return;
  const numbers = numbersOf(operands, first);
  if (numbers < 0) return;
  const { device } = first;
  let ops = remembered.get(device);
  if (ops === undefined) {
    ops = new Map();
    remembered.set(device, ops);
  }
  const known = ops.get(op) ?? [];
  if (known.some((other) => other.dtype === first.dtype && other.numbers === numbers)) return;
  ops.set(op, known);
  const tensors = operands.filter((operand) => operand instanceof GradusTensor);
  const layouts = tensors.map((x) => (x.value as Stored).layout);
  const avals = elementwise.infer(layouts, attrs);
  const lowered = elementwise.lower(layouts, attrs, avals);
  if (lowered.kind === "view") return;
  const { key, build, sizes } = realise(lowered, layouts, avals);
  const executable = executableFor(device, key, build, sizes);
  const buffers: (Buffer | undefined)[] = [];
  const launch = { executable, buffers: buffers as Buffer[], sizes: [...sizes], params: [] as number[] };
  known.push({
    dtype: first.dtype,
    numbers,
    result: attrs.expr.dtype,
    program: [launch],
    buffers,
    sizes: launch.sizes,
    params: launch.params,
  });
}

/** Which operands are plain numbers, or -1 if the others are not like the first one. */
function numbersOf(operands: readonly Operand[], first: GradusTensor): number {
  const { shape, dtype } = first;
  const { storage } = first.value as Stored;
  let numbers = 0;
  for (let k = 1; k < operands.length; k++) {
    const operand = operands[k];
    if (typeof operand === "number") {
      numbers |= 1 << k;
      continue;
    }
    if (!isPlain(operand) || operand.dtype !== dtype) return -1;
    if (operand.shape !== shape && !sameShape(operand.shape, shape)) return -1;
    if ((operand.value as Stored).storage.device !== storage.device) return -1;
  }
  return numbers;
}

/** Whether an operand is a stored tensor in one piece, alive, of a float dtype, without history, and with elements. */
function isPlain(x: Operand | undefined): x is GradusTensor {
  if (!(x instanceof GradusTensor) || x.history !== undefined || x.gone !== undefined) return false;
  const { value, shape, size } = x;
  if (value.kind !== "stored" || size === 0 || shape.length === 0 || !isFloat(x.dtype)) return false;
  return value.layout.offset === 0 && isContiguous(value.layout);
}
