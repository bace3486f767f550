import {
  type Aval,
  axisIndex,
  broadcastStrides,
  type ContractLowering,
  calculus as c,
  contiguousLayout,
  type DType,
  type Expr,
  isContiguous,
  type Kernel,
  type Layout,
  type LoopLowering,
  type Lowered,
  load,
  param,
  type Scalar,
  sameShape,
  sizeOf,
  substitute,
} from "@gradus/core";
import { type Access, type Analysis, analyse } from "./analyse.js";
import { type JoinedAxes, joinAxes } from "./join-axes.js";
import { sumOf } from "./sum-of.js";

/** A kernel, and what a launch of it needs beside buffers. */
export interface Realised {
  /** Names the kernel among all kernels. */
  readonly key: string;
  readonly build: () => Kernel;
  readonly sizes: readonly number[];
  readonly params: readonly (number | Scalar)[];
  /** Inputs that must be copied to lie densely first. */
  readonly dense: readonly number[];
}

/** An access in terms of memory: `offset`, a stride for each loop axis, and coordinates that are computed. */
export interface Walk {
  readonly offset: number;
  readonly strides: readonly number[];
  readonly computed: readonly { readonly coordinate: Expr; readonly stride: number }[];
}

/**
 * Turns an operation's lowering, which speaks of coordinates, into a kernel, which speaks of memory: gives every access
 * its strides, joins neighbouring axes that all accesses walk in one stride, and decides what is baked into the kernel
 * (strides 0 and 1, offset 0) and what are its run-time numbers (the others).
 */
export function realise(
  lowered: Exclude<Lowered, { kind: "view" }>,
  inputs: readonly Layout[],
  outputs: readonly Aval[],
): Realised {
  if (lowered.kind === "native") {
    const dense = inputs.flatMap((x, k) => (isContiguous(x) && x.offset === 0 ? [] : [k]));
    return { key: lowered.key, build: lowered.kernel, sizes: lowered.sizes, params: [], dense };
  }
  const analysis = analyse(lowered);
  const { sizes } = lowered;
  // Without axes there is none to be had.
  const alike = analysis.pointwise && sizes.length > 0 && inputs.every((x) => isDense(x, sizes));
  if (!alike) {
    return realiseAny(lowered, analysis, inputs, outputs);
  }
  // The common case, and the cheapest: all operands are dense and alike, so they are one axis, whatever their shape.
  return {
    key: `${lowered.key} | dense`,
    // An axis of size 1 may have any stride; the kernel must not depend on whose came first.
    build: () => realiseAny(lowered, analysis, inputs.map(contiguousLayout), outputs).build(),
    sizes: [sizeOf(sizes)],
    params: lowered.params,
    dense: [],
  };
}

/** Whether `x` has the shape of the grid and lies in one piece. */
function isDense(x: Layout, grid: readonly number[]): boolean {
  return x.offset === 0 && sameShape(x.shape, grid) && isContiguous(x);
}

function realiseAny(
  lowered: LoopLowering | ContractLowering,
  analysis: Analysis,
  inputs: readonly Layout[],
  outputs: readonly Aval[],
): Realised {
  const targets = outputs.map(contiguousLayout);
  const grid = lowered.sizes.slice(0, analysis.grid);
  const walks = analysis.accesses.map((access) => {
    const layout = access.of === "input" ? inputs[access.operand] : targets[access.operand];
    return walkOf(access, layout as Layout, lowered.sizes, grid);
  });
  const axes = joinAxes(lowered.sizes, analysis, walks);
  const twins = walks.map((walk, i) => twinOf(walks, axes.strides, walk, i));
  const codes = walks.map(({ offset, computed }, i) => {
    if (twins[i] !== i) return `=${twins[i]}`;
    const strides = [...(axes.strides[i] as number[]), ...computed.map((term) => term.stride)];
    return strides.map((s) => (isRunTime(s) ? "s" : s)).join("") + (offset === 0 ? "" : "o");
  });
  const numbers = walks.flatMap(({ offset, computed }, i) => {
    if (twins[i] !== i) return [];
    return [
      ...(axes.strides[i] as number[]).filter(isRunTime),
      ...computed.map((term) => term.stride).filter(isRunTime),
      ...(offset === 0 ? [] : [offset]),
    ];
  });
  return {
    key: `${lowered.key} | ${axes.code} ${codes.join(",")}`,
    build: () => buildKernel(analysis, axes, walks, twins, inputs, outputs, numbers.length),
    sizes: axes.sizes,
    params: [...lowered.params, ...numbers],
    dense: [],
  };
}

function walkOf(
  { at, flat }: Access,
  layout: Layout,
  sizes: readonly number[],
  grid: readonly number[],
): Walk {
  const strides = new Array<number>(sizes.length).fill(0);
  if (at === undefined) {
    broadcastStrides(layout, grid).forEach((stride, axis) => {
      strides[axis] = stride;
    });
    return { offset: layout.offset, strides, computed: [] };
  }
  const computed: { coordinate: Expr; stride: number }[] = [];
  let { offset } = layout;
  at.forEach((coordinate, d) => {
    const stride = flat === true ? 1 : (layout.strides[d] as number);
    const sum = sumOf(coordinate);
    offset += sum.constant * stride;
    for (const { of, factor } of sum.terms) {
      if (of.kind === "axis") strides[of.axis] = (strides[of.axis] as number) + factor * stride;
      else computed.push({ coordinate: of, stride: factor * stride });
    }
  });
  return { offset, strides, computed };
}

/** The first walk that goes the same way: both are one index, computed once, and an element may be overwritten where it is read. */
function twinOf(
  walks: readonly Walk[],
  strides: readonly (readonly number[])[],
  walk: Walk,
  at: number,
): number {
  if (walk.computed.length > 0) return at;
  const own = strides[at] as readonly number[];
  return walks.findIndex(
    (other, i) =>
      i === at ||
      (i < at &&
        other.computed.length === 0 &&
        other.offset === walk.offset &&
        own.every((stride, axis) => stride === strides[i]?.[axis])),
  );
}

/** Strides 0 and 1 are baked: emitters vectorise on them. */
function isRunTime(stride: number): boolean {
  return stride !== 0 && stride !== 1;
}

function buildKernel(
  { body, accessOf, writes }: Analysis,
  axes: JoinedAxes,
  walks: readonly Walk[],
  twins: readonly number[],
  inputs: readonly Layout[],
  outputs: readonly Aval[],
  numbers: number,
): Kernel {
  const own = body.value.params.length;
  const indices: Expr[] = [];
  const rewritten = new Map<Expr, Expr>();
  /** The body's expressions in the kernel's terms: joined axes, loads instead of inputs. */
  const rewrite = (root: Expr): Expr =>
    substitute(root, (e) => {
      if (e.kind === "axis") return axisIndex(axes.renamed(e.axis));
      if (e.kind === "size") return { ...e, axis: axes.renamed(e.axis) };
      if (e.kind !== "input") return undefined;
      let made = rewritten.get(e);
      if (made === undefined) {
        const guard = e.guard === undefined ? undefined : rewrite(e.guard);
        made = load(e.index, e.dtype, indices[accessOf.get(e) as number] as Expr, guard, e.fill ?? 0);
        rewritten.set(e, made);
      }
      return made;
    });
  let next = own;
  const number = (): Expr => param(next++, "i32");
  // In order, because a computed coordinate may itself read an input: those accesses come first.
  walks.forEach(({ offset, computed }, i) => {
    if (twins[i] !== i) {
      indices.push(indices[twins[i] as number] as Expr);
      return;
    }
    let index: Expr = { kind: "const", value: 0, dtype: "i32" };
    (axes.strides[i] as number[]).forEach((stride, axis) => {
      if (stride !== 0)
        index = c.add(index, isRunTime(stride) ? c.mul(axisIndex(axis), number()) : axisIndex(axis));
    });
    for (const { coordinate, stride } of computed) {
      if (stride === 0) continue;
      const at = rewrite(coordinate);
      index = c.add(index, isRunTime(stride) ? c.mul(at, number()) : at);
    }
    indices.push(offset === 0 ? index : c.add(index, number()));
  });
  const base = {
    name: body.value.name,
    inputs: inputs.map((x) => x.dtype),
    outputs: outputs.map((x) => x.dtype),
    params: [...body.value.params, ...new Array<DType>(numbers).fill("i32")],
  };
  const indexOf = (write: number): Expr => indices[writes[write] as number] as Expr;
  if (body.kind === "contract") {
    return {
      kind: "contract",
      ...base,
      groups: axes.contractGroups(body.value.groups),
      a: rewrite(body.value.a),
      b: rewrite(body.value.b),
      accumulate: body.value.accumulate,
      writes: body.value.writes.map(({ value }, k) => ({
        buffer: k,
        index: indexOf(k),
        value: rewrite(value),
      })),
    };
  }
  const over = (list: readonly number[]): number[] => [...new Set(list.map(axes.renamed))];
  return {
    kind: "loop",
    ...base,
    axes: axes.sizes.length,
    grid: axes.grid,
    stages: body.value.stages.map((s) => ({ ...s, over: over(s.over), value: rewrite(s.value) })),
    writes: body.value.writes.map((write, k) => ({
      over: over(write.over),
      buffer: k,
      index: indexOf(k),
      value: rewrite(write.value),
    })),
    ...(body.value.checks && {
      checks: body.value.checks.map((check) => ({
        ...check,
        over: over(check.over),
        holds: rewrite(check.holds),
      })),
    }),
  };
}
