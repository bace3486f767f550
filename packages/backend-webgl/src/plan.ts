import type { ContractKernel, Expr, LoopKernel, Stage } from "@gradus/core";
import { integerBounds } from "./bounds.js";
import type { ArgumentType, Card, CardKernel } from "./card.js";
import { Lowering } from "./emit/lower.js";
import {
  joinPart,
  joinSectionPart,
  PACKED,
  PRODUCT,
  packPart,
  productPart,
  ROWS,
} from "./emit/packed-product.js";
import type { Argument, Part } from "./emit/part-text.js";
import { combinePart, PartWriter } from "./emit/parts.js";
import { isBatched } from "./is-batched.js";
import { type Nest, nestOf } from "./nest.js";
import { groupWrites, type PlacedWrite, placeWrites } from "./placed-writes.js";
import { type ProductPlan, productPlan } from "./product-plan.js";
import { dependsOnData } from "./write-layout.js";

/** One run of a kernel of gpu.js. */
export interface Step {
  readonly kernel: CardKernel;
  readonly args: readonly Argument[];
  /** How many elements it computes, along one axis or two. */
  readonly output: readonly number[];
  /** The numbers of the plan, by name. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly result: /** What stages leave, from this one on. */
    | { readonly kind: "stage"; readonly index: number }
    /** Outputs, in the order of the kernel's results, with the greatest magnitude of those that are integers. */
    | {
        readonly kind: "outputs";
        readonly outputs: readonly { readonly index: number; readonly bound: number }[];
      }
    | { readonly kind: "check"; readonly message: string };
}

/** What is known of a launch before it runs. */
export interface LaunchFacts {
  readonly sizes: readonly number[];
  readonly params: readonly number[];
  /** The greatest magnitude in each input of integers; Infinity for floats. */
  readonly bounds: readonly number[];
  /** How many elements each output's buffer has. */
  readonly lengths: readonly number[];
}

/** More textures than this a card need not bind at once, and gpu.js takes the last place for itself. */
const MAX_TEXTURES = 15;
/** Reductions of more elements than this are cut where there are few of them. */
const LONG = 2048;
const FEW = 4096;
/** Sums along fewer points than this would gain nothing from several at a time. */
const UNROLLED_FROM = 16;
const MAX_PLANS = 32;

/** Adds a step; says no if the card cannot. */
type Add = (
  name: string,
  make: () => Part,
  step: Pick<Step, "output" | "result"> & { readonly numbers?: ReadonlyMap<string, number> },
) => boolean;

/** How a kernel is done on the card at given sizes: as one kernel of gpu.js for each stage, write and check. */
export class KernelPlans {
  private readonly nest: Nest;
  private readonly lowering = new Lowering();
  private readonly writer: PartWriter;
  private readonly plans = new Map<string, readonly Step[] | undefined>();
  private readonly parts = new Map<
    string,
    { readonly part: Part; readonly kernel: CardKernel } | undefined
  >();
  /** Whether the last launch of some sizes was the host's. */
  private readonly hosts = new Map<string, boolean>();
  private readonly integerParams: readonly number[];

  constructor(
    private readonly kernel: LoopKernel | ContractKernel,
    private readonly card: Card,
  ) {
    this.nest = nestOf(kernel);
    this.writer = new PartWriter(this.nest, this.lowering);
    this.integerParams = kernel.params.flatMap((dtype, i) => (dtype === "i32" ? i : []));
  }

  /** The steps of a launch, in order; undefined where it is the host's. */
  planFor(facts: LaunchFacts): readonly Step[] | undefined {
    const { sizes, params, bounds, lengths } = facts;
    const integers = this.integerParams.map((i) => params[i]);
    const at = sizes.join();
    const key = `${at};${integers.join()};${bounds.join()};${lengths.join()}`;
    const known = this.plans.has(key);
    const plan = known ? this.plans.get(key) : this.make(facts);
    remember(this.plans, key, plan);
    remember(this.hosts, at, plan === undefined);
    return plan;
  }

  /**
   * Whether launches of these sizes are the host's: as the last one was, since that may depend on how large its integers are. Before
   * there was one, whether all are, whatever they hold.
   */
  isHosts(sizes: readonly number[]): boolean {
    const known = this.hosts.get(sizes.join());
    if (known !== undefined) return known;
    const { grid, writes } = this.nest;
    if (sizes.slice(0, grid.length).includes(0)) return false;
    const nothing = {
      sizes,
      params: this.kernel.params.map(() => 0),
      inputs: this.kernel.inputs.map(() => 0),
    };
    return (
      integerBounds(this.nest, nothing) === undefined || writes.some(({ index }) => dependsOnData(index))
    );
  }

  private make(facts: LaunchFacts): readonly Step[] | undefined {
    const { sizes, params, bounds } = facts;
    const { grid, writes } = this.nest;
    if (grid.some((axis) => sizes[axis] === 0)) return [];
    const outputBounds = integerBounds(this.nest, { sizes, params, inputs: bounds });
    if (outputBounds === undefined) return undefined;
    const placed = placeWrites(writes, grid, facts);
    if (placed === undefined) return undefined;
    const boundOf = (buffer: number): number => outputBounds.get(buffer) ?? Infinity;
    // Together they may read more textures than a card binds.
    const groups = groupWrites(placed);
    const steps = this.stepsOf(facts, groups, boundOf);
    if (steps !== undefined || groups.length === placed.length) return steps;
    return this.stepsOf(
      facts,
      placed.map((one) => [one]),
      boundOf,
    );
  }

  private stepsOf(
    { sizes }: LaunchFacts,
    groups: readonly (readonly PlacedWrite[])[],
    boundOf: (buffer: number) => number,
  ): readonly Step[] | undefined {
    const { grid, stages, checks } = this.nest;
    const sizeOf = (axis: number): number => sizes[axis] as number;
    const count = (axes: readonly number[]): number => axes.reduce((n, axis) => n * sizeOf(axis), 1);
    const points = count(grid);
    const steps: Step[] = [];
    const add: Add = (name, make, step) => {
      const elements = step.output.reduce((a, b) => a * b, 1);
      if (elements > this.card.maxElements) return false;
      const found = this.part(name, make);
      if (found === undefined) return false;
      const { kernel, part } = found;
      if (elements > 0) steps.push({ kernel, args: part.args, numbers: new Map(), ...step });
      return true;
    };

    const product = this.kernel.kind === "contract" ? productPlan(this.kernel, sizes, this.card) : undefined;
    const longest = Math.max(1, ...stages.map(({ over }) => count(over)));
    const isLong =
      longest > LONG && points < FEW && stages.some(({ op }) => op !== "argmax" && op !== "argmin");
    const inlines =
      product === undefined &&
      groups.length === 1 &&
      groups[0]?.[0]?.write.over.length === 0 &&
      checks.length === 0 &&
      !isLong;
    const innermost = stages.flatMap(({ over }) => over.slice(-1));
    const unrolls = innermost.some((axis) => sizeOf(axis) >= UNROLLED_FROM);
    if (product !== undefined) {
      if (!this.addProduct(product, add)) return undefined;
    } else if (!inlines) {
      for (const [index, stage] of stages.entries()) {
        const split = isLong ? splitOf(stage, sizeOf) : undefined;
        const chunks = split === undefined ? 1 : chunksOf(points, sizeOf(split));
        const result = { kind: "stage", index } as const;
        const numbers = new Map([
          ["chunks", chunks],
          ["length", Math.ceil((split === undefined ? 0 : sizeOf(split)) / chunks)],
        ]);
        const made = add(
          `stage ${index} ${split} ${unrolls}`,
          () => this.writer.stage(index, split, unrolls),
          { output: [points * chunks], result, numbers },
        );
        if (!made) return undefined;
        if (chunks === 1) continue;
        const op = stage.op as "sum" | "max" | "min";
        // The chunks are what the combination reads as its stage.
        add(`combine ${op} ${index}`, () => combinePart(op, index), { output: [points], result, numbers });
      }
    }
    for (const group of groups) {
      const [{ layout, length, isPartial }] = group as readonly [PlacedWrite, ...PlacedWrite[]];
      const { order, strides } = layout;
      const isFlipped = order.some((k) => (strides[k] as number) < 0);
      const isUnit = order.length > 0 && Math.abs(strides[order.at(-1) as number] as number) === 1;
      const numbers = new Map([...(product?.numbers ?? []), ["offset", layout.offset]]);
      for (const k of order) {
        numbers.set(`stride${k}`, Math.abs(strides[k] as number));
        numbers.set(`flip${k}`, (strides[k] as number) < 0 ? 1 : 0);
      }
      const indices = group.map(({ index }) => index);
      const variant = { isPartial, order, isUnit, isFlipped, inlines, unrolls, product: product?.axes };
      const how = [isPartial, order, isUnit, isFlipped, inlines, unrolls, product !== undefined].join(" ");
      const outputs = group.map(({ write: { buffer } }) => ({ index: buffer, bound: boundOf(buffer) }));
      const made = add(`write ${indices} ${how}`, () => this.writer.write(indices, variant), {
        output: [length],
        result: { kind: "outputs", outputs },
        numbers,
      });
      if (!made) return undefined;
    }
    for (const [index, { over, message }] of checks.entries()) {
      const made = add(`check ${index}`, () => this.writer.check(index), {
        output: [count([...grid, ...over])],
        result: { kind: "check", message },
      });
      if (!made) return undefined;
    }
    return steps;
  }

  /** The steps of a packed product. */
  private addProduct({ axes, steps }: ProductPlan, add: Add): boolean {
    const { kernel, nest, lowering } = this;
    if (kernel.kind !== "contract") return false;
    const pack = (operand: Expr, across: readonly number[]): Part => {
      const rows = [...(isBatched(operand, axes) ? axes.batch : []), ...across];
      return packPart(nest, lowering, operand, { rows, k: axes.k });
    };
    const kinds = {
      packA: { index: PACKED.a, make: () => pack(kernel.a, axes.m) },
      packB: { index: PACKED.b, make: () => pack(kernel.b, axes.n) },
      multiply: { index: ROWS, make: productPart },
      join: { index: PRODUCT, make: joinPart },
      joinFirst: { index: PRODUCT, make: () => joinSectionPart(true) },
      joinNext: { index: PRODUCT, make: () => joinSectionPart(false) },
    } as const;
    return steps.every(({ kind, output, numbers }) => {
      const { index, make } = kinds[kind];
      return add(kind, make, { output, result: { kind: "stage", index }, numbers });
    });
  }

  /** A part and its kernel; undefined if it reads more textures than a card binds. */
  private part(
    name: string,
    make: () => Part,
  ): { readonly part: Part; readonly kernel: CardKernel } | undefined {
    if (!this.parts.has(name)) {
      const part = make();
      const types = part.args.map(typeOf);
      const textures = types.filter((type) => type !== "Float").length;
      const fits = textures <= MAX_TEXTURES;
      this.parts.set(
        name,
        fits ? { part, kernel: this.card.kernel(part.source, types, part.results) } : undefined,
      );
    }
    return this.parts.get(name);
  }
}

function typeOf({ kind }: Argument): ArgumentType {
  if (kind === "fours") return "Fours";
  return kind === "input" || kind === "stage" || kind === "previous" ? "Cells" : "Float";
}

/** Keeps the most recently used, which are last. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_PLANS) map.delete(map.keys().next().value as string);
}

/** The longest axis of a stage that may be cut: what its parts leave can be joined. */
function splitOf({ op, over }: Stage, sizeOf: (axis: number) => number): number | undefined {
  if (op !== "sum" && op !== "max" && op !== "min") return undefined;
  return [...over].sort((a, b) => sizeOf(b) - sizeOf(a))[0];
}

function chunksOf(points: number, size: number): number {
  return Math.max(1, Math.min(Math.ceil(Math.sqrt(size)), Math.ceil(FEW / points)));
}
