import { type ContractKernel, type DType, type Expr, substitute } from "@gradus/core";
import { I32 } from "../wasm/encode.js";
import { FunctionBody } from "../wasm/function-body.js";
import { argumentLeaves } from "./argument-leaves.js";
import { type Axis, AxisGroup } from "./axis-group.js";
import type { Callees } from "./callees.js";
import { ExpressionEmitter, type Lanes, type Leaves, lanesFor } from "./expressions.js";
import { Local, Words } from "./words.js";

export type GroupName = "batch" | "m" | "n" | "k";

/** A contraction as it is computed. */
export interface Contraction extends ContractKernel {
  /** The axes of each group: rows and columns may be exchanged, and the first axes of the columns be part of the batch. */
  readonly axes: Readonly<Record<GroupName, readonly number[]>>;
  /** Whether the last axis of the columns has a pitch. */
  readonly isPitched: boolean;
}

/** One function of a contraction's module while it is written. Its first parameter is the address of the launch's arguments. */
export class ContractFrame {
  readonly body: FunctionBody;
  readonly words: Words;
  readonly parameters: readonly Local[];
  readonly leaves: Leaves & { readonly axes: number[] };
  readonly emitter: ExpressionEmitter;
  readonly groups: Readonly<Record<GroupName, AxisGroup>>;
  /** To be set before columns are walked, where they have a pitch. */
  readonly pitch: Local | undefined;

  /**
   * @param count the number of parameters, all of 32 bits.
   * @param roots the lowered expressions that the function computes.
   */
  constructor(
    readonly kernel: Contraction,
    callees: Callees,
    count: number,
    gives: readonly (typeof I32)[],
    roots: readonly Expr[],
    targets: readonly number[] = [],
    lanes: Lanes = lanesFor(roots),
  ) {
    this.body = new FunctionBody({ takes: new Array<typeof I32>(count).fill(I32), gives });
    const words = new Words(this.body);
    this.words = words;
    this.parameters = words.parameters(count);
    const axes = Object.values(kernel.groups).reduce((a, b) => a + b, 0);
    const leaves = argumentLeaves(this.body, { ...kernel, axes }, roots, targets);
    this.leaves = { ...leaves, axes: [...leaves.axes] };
    this.pitch = kernel.isPitched ? words.local() : undefined;
    const { batch, m, n, k } = kernel.axes;
    this.groups = {
      batch: this.group(batch),
      m: this.group(m),
      n: this.group(n, this.pitch),
      k: this.group(k),
    };
    this.emitter = new ExpressionEmitter(this.body, this.leaves, callees.find, lanes);
  }

  /** A group once more, with indices of its own, and what an expression is there. */
  copy(name: GroupName, e: Expr): { readonly group: AxisGroup; readonly value: Expr } {
    const { words, leaves, groups } = this;
    const numbers = new Map<number, number>();
    const group = groups[name].map((axis) => {
      const index = words.local();
      numbers.set(axis.number, leaves.axes.length);
      leaves.axes.push(index.index);
      return { ...axis, number: leaves.axes.length - 1, index };
    });
    const value = substitute(e, (node) => {
      const axis = node.kind === "axis" ? numbers.get(node.axis) : undefined;
      return axis === undefined ? undefined : { kind: "axis", axis, dtype: "i32" };
    });
    return { group, value };
  }

  /** Axes as one. Without any it has one of size 1, which no expression knows. */
  private group(axes: readonly number[], pitch?: Local): AxisGroup {
    const { leaves, words } = this;
    const list: Axis[] = axes.map((number) => ({
      number,
      index: new Local(leaves.axes[number] as number),
      size: new Local(leaves.sizes[number] as number),
    }));
    if (list.length === 0) {
      const index = words.local();
      list.push({ number: leaves.axes.length, index, size: words.let(1) });
      leaves.axes.push(index.index);
    }
    return new AxisGroup(words, list, pitch);
  }
}

export function bytesOfElement(dtype: DType): number {
  return dtype === "f64" ? 8 : 4;
}
