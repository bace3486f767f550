import { type Expr, type InputExpr, substitute, substitution } from "@gradus/core";
import { isWhole, type Operand, sameOperand } from "../lower-trace.js";
import { type Cluster, type ClusterValue, isMap, mapValue, readsOf } from "./cluster.js";
import { rounded } from "./rounded.js";

/** Fewer points than these, each with a row of its own, are too few to be computed side by side. */
const FEW_POINTS = 16;
/** So many elements may be computed in a bad order, or on few points: it costs less than another kernel. */
const FEW_ELEMENTS = 4096;
/** So many may be written along another axis than the one in which they lie: they are in the cache. */
const CACHED_ELEMENTS = 1 << 18;

/**
 * One cluster that computes what `producer` and `consumer` do, at the points where the producer computes it, or undefined
 * where they do not go together. The consumer reads values of the producer, and where it does, at the very grid point that
 * computes them. So nothing is computed twice, and the values need not be in memory for the consumer's sake.
 *
 * - A map and a map of the same points.
 * - A contraction, and a map of its sums.
 * - Reductions of the same rows, and maps over the rows' elements before, between and after them.
 */
export function join(producer: Cluster, consumer: Cluster): Cluster | undefined {
  if (consumer.contraction !== undefined) return undefined;
  // Of a contraction's sums there is one each: they are neither reduced nor checked in the same kernel.
  const isElementwise = consumer.stages.length === 0 && consumer.checks.length === 0;
  if (producer.contraction !== undefined && !isElementwise) return undefined;
  const reads = readsOf(consumer).filter((e) => producer.values.has(rootOf(consumer, e)));
  const matched = matchAxes(producer, consumer, reads);
  if (matched === undefined) return undefined;
  const { grid, toProducer } = matched;

  // The consumer's axes that are not the producer's grid: its inner ones, and those of a map over the rows' elements.
  const sizes = [...producer.sizes];
  const inner = new Set<number>();
  const axes = consumer.sizes.map((size, axis) => {
    const known = toProducer.get(axis) ?? innerAxis(producer, grid, reads, consumer, axis, inner);
    if (known !== undefined) {
      inner.add(known);
      return known;
    }
    return sizes.push(size) - 1;
  });
  const demoted = (cluster: Cluster, renamed: (axis: number) => number): number[] =>
    cluster.grid.map(renamed).filter((axis) => !grid.includes(axis));
  const own = demoted(producer, (axis) => axis);
  const extra = demoted(consumer, (axis) => axes[axis] as number);

  const operands = [...producer.operands];
  const operandOf = consumer.operands.map((operand) => {
    if (producer.values.has(operand.root)) return -1;
    const found = operands.findIndex((other) => sameOperand(other, operand));
    return found >= 0 ? found : operands.push(operand) - 1;
  });
  const move = substitution((e) => {
    switch (e.kind) {
      case "axis":
      case "size":
        return { ...e, axis: axes[e.axis] as number };
      case "param":
        return { ...e, index: e.index + producer.params.length };
      case "stage":
        return { ...e, index: e.index + producer.stages.length };
      case "input": {
        const at = e.at?.map(move) as Expr[];
        const value = producer.values.get(rootOf(consumer, e));
        if (value !== undefined) return rounded(valueAt(value, at, grid));
        const read = { ...e, index: operandOf[e.index] as number, at };
        return e.guard === undefined ? read : { ...read, guard: move(e.guard) };
      }
      default:
        return undefined;
    }
  });
  const along = (over: readonly number[], more: readonly number[]): number[] => [
    ...more,
    ...over.map((axis) => axes[axis] as number),
  ];
  const values = new Map<number, ClusterValue>();
  for (const [root, value] of producer.values) values.set(root, { ...value, over: [...own, ...value.over] });
  for (const [root, value] of consumer.values) {
    values.set(root, { ...mapValue(value, move), over: along(value.over, extra) });
  }
  const isDemoted = own.length > 0 || extra.length > 0;
  if (isDemoted && !pays(sizes, grid, values.values())) return undefined;
  return {
    names: new Map([...producer.names, ...consumer.names]),
    sizes,
    grid,
    stages: [
      ...producer.stages,
      ...consumer.stages.map((s) => ({ ...s, over: along(s.over, []), value: move(s.value) })),
    ],
    ...(producer.contraction && { contraction: producer.contraction }),
    values,
    checks: [
      ...producer.checks.map((check) => ({ ...check, over: [...own, ...check.over] })),
      ...consumer.checks.map((check) => ({
        ...check,
        over: along(check.over, extra),
        holds: move(check.holds),
      })),
    ],
    params: [...producer.params, ...consumer.params],
    operands,
  };
}

function rootOf(cluster: Cluster, e: InputExpr): number {
  return (cluster.operands[e.index] as { root: number }).root;
}

interface Match {
  /** The joined cluster's grid, in the producer's axes. */
  readonly grid: readonly number[];
  /** For each of the consumer's grid axes that is one of the producer's: which. */
  readonly toProducer: ReadonlyMap<number, number>;
}

/** How the consumer's axes correspond to the producer's, going by where it reads. */
function matchAxes(producer: Cluster, consumer: Cluster, reads: readonly InputExpr[]): Match | undefined {
  const toProducer = new Map<number, number>();
  const reduces = consumer.stages.length > 0;
  const isFree = isMap(producer);
  for (const read of reads) {
    const value = producer.values.get(rootOf(consumer, read)) as ClusterValue;
    const isRead = isWhole(consumer.operands[read.index] as Operand, value.aval);
    if (read.guard !== undefined || value.at === undefined || !isRead) return undefined;
    for (const [d, place] of value.at.entries()) {
      if (place.kind === "const") continue;
      if (place.kind !== "axis") return undefined;
      if (!producer.grid.includes(place.axis)) continue;
      const at = (read.at as readonly Expr[])[d] as Expr;
      const isGrid = at.kind === "axis" && consumer.grid.includes(at.axis);
      // Along a map's axis a row may be reduced; the axis is then no longer one of the grid.
      if (!isGrid && isFree && reduces) continue;
      if (!isGrid || consumer.sizes[at.axis] !== producer.sizes[place.axis]) return undefined;
      if ((toProducer.get(at.axis) ?? place.axis) !== place.axis) return undefined;
      toProducer.set(at.axis, place.axis);
    }
  }
  const matched = new Set(toProducer.values());
  if (matched.size !== toProducer.size) return undefined;
  const grid = producer.grid.filter((axis) => matched.has(axis));
  // Whoever reads reads at the grid point itself: also the second time, where one read has said which axis is which.
  const isAtPoint = reads.every((read) => {
    const { at } = producer.values.get(rootOf(consumer, read)) as ClusterValue;
    return at?.every((place, d) => {
      if (place.kind !== "axis" || !grid.includes(place.axis)) return true;
      const own = read.at?.[d];
      return own?.kind === "axis" && toProducer.get(own.axis) === place.axis;
    });
  });
  if (!isAtPoint) return undefined;
  const allOfProducer = grid.length === producer.grid.length;
  const allOfConsumer = toProducer.size === consumer.grid.length;
  // Rows stay rows: what reduces them needs all of a row's points to be inner ones.
  const fits =
    isFree && reduces
      ? allOfConsumer
      : allOfProducer && (allOfConsumer || (producer.stages.length > 0 && !reduces));
  return fits ? { grid, toProducer } : undefined;
}

/** An inner axis of the producer that the consumer's `axis` walks along when it reads, so that both are one loop. */
function innerAxis(
  producer: Cluster,
  grid: readonly number[],
  reads: readonly InputExpr[],
  consumer: Cluster,
  axis: number,
  taken: ReadonlySet<number>,
): number | undefined {
  for (const read of reads) {
    const { at } = producer.values.get(rootOf(consumer, read)) as ClusterValue;
    for (const [d, place] of (at as readonly Expr[]).entries()) {
      const own = read.at?.[d];
      if (place.kind !== "axis" || own?.kind !== "axis" || own.axis !== axis) continue;
      const fits = !grid.includes(place.axis) && !taken.has(place.axis);
      if (fits && producer.sizes[place.axis] === consumer.sizes[axis]) return place.axis;
    }
  }
  return undefined;
}

/** The value's expression at coordinates: its inner axes replaced by what the reader has in their place. */
function valueAt({ expr, at }: ClusterValue, coordinates: readonly Expr[], grid: readonly number[]): Expr {
  const places = new Map<number, Expr>();
  (at as readonly Expr[]).forEach((place, d) => {
    const own = coordinates[d] as Expr;
    if (place.kind !== "axis" || grid.includes(place.axis)) return;
    if (own.kind !== "axis" || own.axis !== place.axis) places.set(place.axis, own);
  });
  if (places.size === 0) return expr;
  return substitute(expr, (e) => (e.kind === "axis" ? places.get(e.axis) : undefined));
}

/** Whether the points are enough to keep a device busy, and elements are written in the order in which they lie. */
function pays(sizes: readonly number[], grid: readonly number[], values: Iterable<ClusterValue>): boolean {
  const count = (axes: readonly number[]): number => axes.reduce((n, axis) => n * (sizes[axis] as number), 1);
  const points = count(grid);
  for (const { at, over } of values) {
    const elements = points * count(over);
    if (over.length === 0 || elements <= FEW_ELEMENTS) continue;
    if (points < FEW_POINTS) return false;
    const last = at?.filter((place) => place.kind === "axis").at(-1);
    const inOrder = last?.kind === "axis" && over.includes(last.axis);
    if (!inOrder && elements > CACHED_ELEMENTS) return false;
  }
  return true;
}
