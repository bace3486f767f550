import type { DType, TypedArray } from "../dtype.js";
import { halfBits, halfValue } from "../half.js";
import { type Elements, type Frame, outOfBounds } from "./frame.js";
import type { Step } from "./op-loops.js";
import { CHUNK, type Register } from "./registers.js";

/** Where an access reads or writes: at `base + stride * i` along the run, or at a computed index for each element. */
export type Address =
  | { readonly kind: "affine"; readonly base: Register; readonly stride: Register }
  | { readonly kind: "indexed"; readonly index: Register };

export interface Guard {
  readonly condition: Register;
  readonly fill: number;
}

/** A step that loads from a buffer of the launch. Bits of f16 are loaded like any numbers, and then become their values. */
export function loadStep(
  frame: Frame,
  buffer: number,
  dtype: DType,
  address: Address,
  guard: Guard | undefined,
  out: TypedArray,
): Step {
  if (dtype !== "f16") return elementsStep(frame, buffer, address, guard, out);
  const bits = guard && { ...guard, fill: halfBits(guard.fill) };
  const load = elementsStep(frame, buffer, address, bits, out);
  return (n) => {
    load(n);
    for (let i = 0; i < n; i++) out[i] = halfValue(out[i] as number);
  };
}

function elementsStep(
  frame: Frame,
  buffer: number,
  address: Address,
  guard: Guard | undefined,
  out: TypedArray,
): Step {
  const load = address.kind === "affine" ? affineLoad : indexedLoad;
  const unguarded = load(frame, buffer, address as never, out);
  if (guard === undefined) return unguarded;
  const { condition, fill } = guard;
  if (condition.step === 0)
    return (n) => (condition.data[0] !== 0 ? unguarded(n) : void out.fill(fill, 0, n));
  return address.kind === "affine"
    ? guardedAffineLoad(frame, buffer, address, condition, fill, out)
    : guardedIndexedLoad(frame, buffer, address, condition, fill, out);
}

type Affine = Extract<Address, { kind: "affine" }>;
type Indexed = Extract<Address, { kind: "indexed" }>;

/** The first index of the chunk. Computed in float64: it must not wrap into the buffer again. */
function firstIndex(frame: Frame, { base, stride }: Affine): number {
  return (base.data[0] as number) + frame.start * (stride.data[0] as number);
}

function affineLoad(frame: Frame, buffer: number, address: Affine, out: TypedArray): Step {
  return (n) => {
    const { data, length } = frame.buffer(buffer);
    const stride = address.stride.data[0] as number;
    const first = firstIndex(frame, address);
    checkEnds(frame, buffer, first, first + (n - 1) * stride, length);
    gather(out, data, first, stride, n);
  };
}

function gather(out: TypedArray, data: Elements, first: number, stride: number, n: number): void {
  if (stride === 1) for (let i = 0; i < n; i++) out[i] = data[first + i] as number;
  else for (let i = 0; i < n; i++) out[i] = data[first + i * stride] as number;
}

function guardedAffineLoad(
  frame: Frame,
  buffer: number,
  address: Affine,
  condition: Register,
  fill: number,
  out: TypedArray,
): Step {
  return (n) => {
    const { data, length } = frame.buffer(buffer);
    const stride = address.stride.data[0] as number;
    const first = firstIndex(frame, address);
    const bad = gatherWhere(out, data, length, first, stride, condition.data, fill, n);
    if (bad >= 0) outOfBounds(frame, buffer, first + bad * stride);
  };
}

/** Returns the position of an access beyond `length`, or -1. */
function gatherWhere(
  out: TypedArray,
  data: Elements,
  length: number,
  first: number,
  stride: number,
  condition: TypedArray,
  fill: number,
  n: number,
): number {
  for (let i = 0; i < n; i++) {
    if (condition[i] === 0) {
      out[i] = fill;
      continue;
    }
    const at = first + i * stride;
    if (at < 0 || at >= length) return i;
    out[i] = data[at] as number;
  }
  return -1;
}

function indexedLoad(frame: Frame, buffer: number, { index }: Indexed, out: TypedArray): Step {
  return (n) => {
    const { data, length } = frame.buffer(buffer);
    const bad = gatherIndexed(out, data, length, index.data, index.step, n);
    if (bad >= 0) outOfBounds(frame, buffer, index.data[bad * index.step] as number);
  };
}

function gatherIndexed(
  out: TypedArray,
  data: Elements,
  length: number,
  index: TypedArray,
  step: number,
  n: number,
): number {
  for (let i = 0; i < n; i++) {
    const at = index[i * step] as number;
    if (at < 0 || at >= length) return i;
    out[i] = data[at] as number;
  }
  return -1;
}

function guardedIndexedLoad(
  frame: Frame,
  buffer: number,
  { index }: Indexed,
  condition: Register,
  fill: number,
  out: TypedArray,
): Step {
  return (n) => {
    const { data, length } = frame.buffer(buffer);
    const bad = gatherIndexedWhere(out, data, length, index.data, index.step, condition.data, fill, n);
    if (bad >= 0) outOfBounds(frame, buffer, index.data[bad * index.step] as number);
  };
}

function gatherIndexedWhere(
  out: TypedArray,
  data: Elements,
  length: number,
  index: TypedArray,
  step: number,
  condition: TypedArray,
  fill: number,
  n: number,
): number {
  for (let i = 0; i < n; i++) {
    if (condition[i] === 0) {
      out[i] = fill;
      continue;
    }
    const at = index[i * step] as number;
    if (at < 0 || at >= length) return i;
    out[i] = data[at] as number;
  }
  return -1;
}

/** A step that writes `value` to a buffer of the launch, as bits if they are of f16. */
export function storeStep(
  frame: Frame,
  buffer: number,
  dtype: DType,
  address: Address,
  value: Register,
): Step {
  if (dtype !== "f16") return putStep(frame, buffer, address, value);
  const data = new Uint16Array(value.step === 0 ? 1 : CHUNK);
  const put = putStep(frame, buffer, address, { data, step: value.step });
  return (n) => {
    const count = value.step === 0 ? 1 : n;
    for (let i = 0; i < count; i++) data[i] = halfBits(value.data[i] as number);
    put(n);
  };
}

interface Source {
  readonly data: Elements;
  readonly step: 0 | 1;
}

function putStep(frame: Frame, buffer: number, address: Address, value: Source): Step {
  if (address.kind === "affine") {
    return (n) => {
      const { data, length } = frame.buffer(buffer);
      const stride = address.stride.data[0] as number;
      const first = firstIndex(frame, address);
      checkEnds(frame, buffer, first, first + (n - 1) * stride, length);
      scatter(data, first, stride, value.data, value.step, n);
    };
  }
  const { index } = address;
  return (n) => {
    const { data, length } = frame.buffer(buffer);
    for (let i = 0; i < n; i++) {
      const at = index.data[i * index.step] as number;
      if (at < 0 || at >= length) outOfBounds(frame, buffer, at);
      data[at] = value.data[i * value.step] as number;
    }
  };
}

function scatter(
  data: Elements,
  first: number,
  stride: number,
  value: Elements,
  step: number,
  n: number,
): void {
  if (stride === 1) for (let i = 0; i < n; i++) data[first + i] = value[i * step] as number;
  else for (let i = 0; i < n; i++) data[first + i * stride] = value[i * step] as number;
}

function checkEnds(frame: Frame, buffer: number, first: number, last: number, length: number): void {
  if (first < 0 || first >= length) outOfBounds(frame, buffer, first);
  if (last < 0 || last >= length) outOfBounds(frame, buffer, last);
}
