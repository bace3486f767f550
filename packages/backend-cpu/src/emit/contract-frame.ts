import type { ContractKernel, DType, Expr } from "@gradus/core";
import { I32 } from "../wasm/encode.js";
import { FunctionBody } from "../wasm/function-body.js";
import { argumentLeaves } from "./argument-leaves.js";
import { type Axis, AxisGroup } from "./axis-group.js";
import type { Callees } from "./callees.js";
import { ExpressionEmitter, type Lanes, type Leaves, lanesFor } from "./expressions.js";
import { Local, Words } from "./words.js";

export type GroupName = "batch" | "m" | "n" | "k";

/** A contraction that is computed turned has the axes of its columns as rows: what it gives is written transposed. */
export interface Contraction extends ContractKernel {
  readonly isTurned: boolean;
}

/** One function of a contraction's module while it is written. Its first parameter is the address of the launch's arguments. */
export class ContractFrame {
  readonly body: FunctionBody;
  readonly words: Words;
  readonly parameters: readonly Local[];
  readonly leaves: Leaves;
  readonly emitter: ExpressionEmitter;
  readonly groups: Readonly<Record<GroupName, AxisGroup>>;

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
    // A group without axes has one of size 1, which no expression knows.
    const extra: number[] = [];
    const group = (name: GroupName): AxisGroup => {
      const list: Axis[] = axesOf(kernel, name).map((number) => ({
        number,
        index: new Local(leaves.axes[number] as number),
        size: new Local(leaves.sizes[number] as number),
      }));
      if (list.length === 0) {
        const index = words.local();
        list.push({ number: axes + extra.length, index, size: words.let(1) });
        extra.push(index.index);
      }
      return new AxisGroup(words, list);
    };
    this.groups = { batch: group("batch"), m: group("m"), n: group("n"), k: group("k") };
    this.leaves = { ...leaves, axes: [...leaves.axes, ...extra] };
    this.emitter = new ExpressionEmitter(this.body, this.leaves, callees.find, lanes);
  }
}

/** The numbers of the axes of a group: m are the rows as they are computed. */
export function axesOf({ groups, isTurned }: Contraction, name: GroupName): number[] {
  const wanted = isTurned ? (turned[name] ?? name) : name;
  let first = 0;
  for (const one of ["batch", "m", "n", "k"] as const) {
    if (one === wanted) return Array.from({ length: groups[one] }, (_, i) => first + i);
    first += groups[one];
  }
  return [];
}

const turned: Partial<Record<GroupName, GroupName>> = { m: "n", n: "m" };

export function bytesOfElement(dtype: DType): number {
  return dtype === "f64" ? 8 : 4;
}
