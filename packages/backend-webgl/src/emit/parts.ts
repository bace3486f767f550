import type { Check, ContractAxes, Output, Stage } from "@gradus/core";
import type { Nest } from "../nest.js";
import type { Lowering } from "./lower.js";
import { type Part, PartText, type Range } from "./part-text.js";

export interface WriteVariant {
  /** Whether there are elements that it does not write: they stay as they are. */
  readonly isPartial: boolean;
  /** The axes of more than one point, by their places among the grid's and the write's own: the greatest stride first. */
  readonly order: readonly number[];
  /** Whether the last of them goes from element to element. */
  readonly isUnit: boolean;
  /** Whether an axis runs backwards. */
  readonly isFlipped: boolean;
  /** Whether stages are computed here: where each grid point writes one element, and nobody else needs them. */
  readonly inlines: boolean;
  /** Whether sums go along several points at a time. */
  readonly unrolls: boolean;
  /** Where the stage is a packed product. */
  readonly product?: ContractAxes | undefined;
}

/** The parts of a kernel, as text. */
export class PartWriter {
  constructor(
    private readonly nest: Nest,
    private readonly lowering: Lowering,
  ) {}

  /**
   * A stage at each grid point, or a chunk of it: `chunks` chunks of `length` along `split`, one of the axes that it reduces. For
   * a stage that is reduced in one go, one chunk.
   */
  stage(index: number, split: number | undefined, unrolls: boolean): Part {
    const text = new PartText(this.nest, this.lowering);
    const stage = this.nest.stages[index] as Stage;
    const at = text.position();
    let point = at;
    let range: Range | undefined;
    if (split !== undefined) {
      const [chunks, length] = [text.number("chunks"), text.number("length")];
      text.divide(at, chunks, "point", "chunk");
      text.line(`let low = (chunk * ${length});`);
      text.line(`let high = min_i((low + ${length}), ${text.size(split)});`);
      point = "point";
      range = { axis: split, low: "low", high: "high" };
    }
    text.decode(point, this.nest.grid);
    text.grid = point;
    return text.finish(text.reduce(stage, { range, unrolls }));
  }

  /** What some writes make that write the same places; only one of them where it is partial. */
  write(indices: readonly number[], variant: WriteVariant): Part {
    const { isPartial, order, isUnit, isFlipped, inlines, unrolls, product } = variant;
    const text = new PartText(this.nest, this.lowering);
    const [first, ...others] = indices.map((index) => this.nest.writes[index]) as [Output, ...Output[]];
    const { over } = first;
    const at = text.position();
    const axes = [...this.nest.grid, ...over];
    let rest = at;
    if (isPartial) {
      rest = "place";
      text.line(`let place = (${at} - ${text.number("offset")});`);
    }
    let covered = "le_i(0, place)";
    axes.forEach((axis, k) => {
      if (!order.includes(k)) text.line(`let i${axis} = zero();`);
    });
    order.forEach((k, position) => {
      const axis = axes[k] as number;
      const isLast = position === order.length - 1;
      if (isLast && isUnit) text.line(`let d${k} = (${rest} + 0);`);
      else {
        text.divide(rest, text.number(`stride${k}`), `d${k}`, `rest${k}`);
        rest = `rest${k}`;
        if (isLast) covered = `(${covered} * eq_i(${rest}, 0))`;
      }
      const mirrored = isFlipped
        ? `pick(${text.number(`flip${k}`)}, ((${text.size(axis)} - 1) - d${k}), d${k})`
        : `d${k}`;
      text.line(`let i${axis} = (${mirrored} + 0);`);
      if (isPartial) covered = `(${covered} * lt_i(d${k}, ${text.size(axis)}))`;
    });
    if (isPartial && order.length === 0) covered = `eq_i(${rest}, 0)`;
    if (isPartial) text.line(`let covered = ${covered};`);
    if (product !== undefined) text.encodeBlock(product);
    else if (inlines) text.inlineStages(unrolls);
    else text.encodeGrid();
    const result = text.value(first.value);
    if (isPartial) return text.finish(`pick(covered, ${result}, cell(${text.previous()}, ${at}))`);
    return text.finish(result, ...others.map(({ value }) => text.value(value)));
  }

  /** Whether a check holds, at each point. */
  check(index: number): Part {
    const text = new PartText(this.nest, this.lowering);
    const { over, holds } = this.nest.checks[index] as Check;
    text.decode(text.position(), [...this.nest.grid, ...over]);
    text.encodeGrid();
    return text.finish(text.value(holds));
  }
}

/** Joins the chunks of each grid point. */
export function combinePart(op: "sum" | "max" | "min", index: number): Part {
  const join = op === "sum" ? "(total + next)" : `${op}_f(total, next)`;
  return {
    source: `function(s0, chunks) {
let first = (position() * chunks);
let total = cell(s0, first);
for (let k = to_float(1); k < chunks; k = (k + 1)) {
let next = cell(s0, (first + k));
total = ${join};
}
return total;
}`,
    args: [
      { kind: "stage", index },
      { kind: "number", name: "chunks" },
    ],
    results: 1,
  };
}
