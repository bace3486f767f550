import { affineIn, axisIndex, calculus as c, dependsOnAxis, type Expr, substitute } from "@gradus/core";
import type { ContractShader, OperandPlan } from "./contract-shader.js";
import { decodeAxes } from "./decode.js";
import type { Expressions } from "./expressions.js";

/** The block of an operand that a workgroup needs next: `size` rows or columns, `bk` steps of k. */
export interface BlockSize {
  readonly size: number;
  readonly bk: number;
  readonly threads: number;
}

/** A place in a block, in shared memory: [outer][k / 4] or [k][outer / 4]. */
export interface BlockPlace {
  readonly row: string;
  readonly column: string;
  /** The variable with its four elements. */
  readonly value: string;
}

/**
 * Brings an operand's blocks into a thread's registers, four elements at each of its places. All places lie in one column of
 * the block, so what an index has of the outer axes is computed once, and what it has of k once a step for all of them.
 */
export class OperandBlock {
  readonly places: readonly BlockPlace[];
  private readonly prefix: string;
  private readonly isAlongK: boolean;
  /** Places of four elements in a row. */
  private readonly width: number;
  /** What is loaded at each place, one after the other, and the axes of k in it. */
  private elements: readonly (readonly Expr[])[] = [];
  private steps: readonly ((axis: number) => number)[] = [];

  constructor(
    readonly made: ContractShader,
    private readonly operand: Expr,
    private readonly outer: readonly number[],
    private readonly plan: OperandPlan,
    side: "a" | "b",
    { size, bk, threads }: BlockSize,
  ) {
    this.prefix = side;
    this.isAlongK = plan.along === "k";
    this.width = (this.isAlongK ? bk : size) / 4;
    const count = (size * bk) / 4 / threads;
    this.places = Array.from({ length: count }, (_, i) => ({
      row: `${side}_row + ${(i * threads) / this.width}u`,
      column: `${side}_column`,
      value: `${side}_four${i}`,
    }));
  }

  /** Before the loop: where the thread's places are. `first` is the block's first row or column of all. */
  begin(expressions: Expressions, first: string): void {
    const { made, prefix, places, outer, plan, isAlongK } = this;
    const { axes, bindings, type } = made;
    expressions.line(`let ${prefix}_row = lane / ${this.width}u;
let ${prefix}_column = lane % ${this.width}u;`);
    for (const { value } of places) expressions.line(`var ${value} = vec4<${type}>();`);
    const lanes = plan.vector ? [0] : [0, 1, 2, 3];
    const outers = (isAlongK ? places : lanes).map((one) => {
      const own = made.renumbering();
      const at = typeof one === "number" ? `4u * ${prefix}_column + ${one}u` : one.row;
      decodeAxes(expressions, bindings, `(${first} + ${at})`, outer, own);
      return own;
    });
    this.steps = (isAlongK ? lanes : places).map(() => made.renumbering());
    const split = byLoops(this.operand, axes.k);
    this.elements = places.map((_, i) =>
      lanes.map((_, j) => {
        const [ownOuter, ownK] = (isAlongK ? [outers[i], this.steps[j]] : [outers[j], this.steps[i]]) as [
          (axis: number) => number,
          (axis: number) => number,
        ];
        return substitute(split, (node) => {
          if (node.kind !== "axis") return undefined;
          if (outer.includes(node.axis)) return axisIndex(ownOuter(node.axis));
          return axes.k.includes(node.axis) ? axisIndex(ownK(node.axis)) : undefined;
        });
      }),
    );
  }

  /** The axes that have values only within `load`. */
  get loopAxes(): readonly number[] {
    return this.steps.flatMap((own) => this.made.axes.k.map(own));
  }

  /** Loads the block that begins at `from_k`; beyond `end_k` there are zeros. */
  load(expressions: Expressions): void {
    const { made, prefix, places, plan, isAlongK } = this;
    const { axes, bindings, type } = made;
    const at = (j: number): string =>
      isAlongK ? `from_k + 4u * ${prefix}_column + ${j}u` : `from_k + ${(places[j] as BlockPlace).row}`;
    const ks = this.steps.map((own, j) => {
      const name = expressions.fresh("k");
      expressions.line(`let ${name} = ${at(j)};`);
      decodeAxes(expressions, bindings, name, axes.k, own);
      return name;
    });
    places.forEach(({ value }, i) => {
      const elements = this.elements[i] as readonly Expr[];
      if (plan.vector) {
        const k = ks[isAlongK ? 0 : i];
        const loaded = made.vectorOf(elements[0] as Expr, expressions);
        expressions.line(`${value} = select(vec4<${type}>(), ${loaded}, ${k} < end_k);`);
        return;
      }
      const four = elements.map((e, j) => {
        const k = ks[isAlongK ? j : i];
        return `select(${type}(0), ${expressions.value(e)}, ${k} < end_k)`;
      });
      expressions.line(`${value} = vec4<${type}>(${four.join(", ")});`);
    });
  }
}

/** The expression with its indices as sums of an outermost part and one term for each loop, from the outermost to the innermost. */
export function byLoops(e: Expr, loops: readonly number[]): Expr {
  return substitute(e, (node) => {
    if (node.kind !== "load") return undefined;
    let base = node.index;
    const terms: Expr[] = [];
    for (const axis of loops) {
      const affine = affineIn(base, axis);
      if (affine === undefined || loops.some((other) => dependsOnAxis(affine.stride, other)))
        return undefined;
      terms.push(c.mul(axisIndex(axis), affine.stride));
      base = affine.base;
    }
    return { ...node, index: terms.reduce((sum, term) => c.add(sum, term), base) };
  });
}
