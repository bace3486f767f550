/** A box to be placed. */
export interface Box {
  readonly width: number;
  readonly height: number;
}

export interface Arrow {
  readonly from: number;
  readonly to: number;
}

/** A place in a layer. */
export interface Place {
  readonly x: number;
  readonly layer: number;
}

export interface Layout {
  /** The centre of each box. */
  readonly places: readonly Place[];
  /** For each arrow the places that it passes, from centre to centre. */
  readonly routes: readonly (readonly Place[])[];
  readonly width: number;
}

const GAP_X = 34;
const SWEEPS = 24;

/** A box, or a place where a long arrow passes a layer. */
interface Slot {
  readonly box: number | undefined;
  readonly width: number;
  readonly before: Slot[];
  readonly after: Slot[];
  x: number;
}

/**
 * Places the boxes of a graph without cycles in layers, so that arrows lead to later layers and rarely cross: the method of
 * Sugiyama.
 *
 * @param ranks the layer of each box; see {@link layersOf}
 */
export function layout(boxes: readonly Box[], arrows: readonly Arrow[], ranks: readonly number[]): Layout {
  const layers: Slot[][] = Array.from({ length: Math.max(0, ...ranks) + 1 }, () => []);
  const slots = boxes.map((box, i) => newSlot(i, box.width));
  boxes.forEach((_, i) => {
    layers[ranks[i] as number]?.push(slots[i] as Slot);
  });
  const paths = arrows.map(({ from, to }) => {
    const path = [slots[from] as Slot];
    for (let rank = (ranks[from] as number) + 1; rank < (ranks[to] as number); rank++) {
      const passing = newSlot(undefined, 8);
      layers[rank]?.push(passing);
      path.push(passing);
    }
    path.push(slots[to] as Slot);
    for (let k = 1; k < path.length; k++) {
      (path[k - 1] as Slot).after.push(path[k] as Slot);
      (path[k] as Slot).before.push(path[k - 1] as Slot);
    }
    return path;
  });
  order(layers);
  place(layers);
  const all = layers.flat();
  const left = Math.min(...all.map((slot) => slot.x - slot.width / 2));
  const layerOf = new Map(layers.flatMap((layer, rank) => layer.map((slot) => [slot, rank] as const)));
  const placeOf = (slot: Slot): Place => ({ x: slot.x - left, layer: layerOf.get(slot) as number });
  return {
    places: slots.map(placeOf),
    routes: paths.map((path) => path.map(placeOf)),
    width: Math.max(0, ...all.map((slot) => slot.x - left + slot.width / 2)),
  };
}

function newSlot(box: number | undefined, width: number): Slot {
  return { box, width, before: [], after: [], x: 0 };
}

/**
 * The layer of each box: behind all that it comes from; what comes from nothing directly before its first use. Arrows go
 * from lower to higher numbers of boxes.
 */
export function layersOf(count: number, arrows: readonly Arrow[]): number[] {
  const ranks = new Array<number>(count).fill(0);
  const sorted = [...arrows].sort((a, b) => a.from - b.from);
  for (const { from, to } of sorted) ranks[to] = Math.max(ranks[to] as number, (ranks[from] as number) + 1);
  const hasSource = new Set(arrows.map(({ to }) => to));
  for (let i = 0; i < count; i++) {
    if (hasSource.has(i)) continue;
    const uses = arrows.filter(({ from }) => from === i).map(({ to }) => ranks[to] as number);
    if (uses.length > 0) ranks[i] = Math.min(...uses) - 1;
  }
  return ranks;
}

/** Puts the slots of each layer into an order with few crossings: each goes where its neighbours are, up and down. */
function order(layers: readonly Slot[][]): void {
  const number = (): void => {
    for (const layer of layers)
      layer.forEach((slot, i) => {
        slot.x = i - layer.length / 2;
      });
  };
  number();
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(layers);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const wanted = new Map(layer.map((slot) => [slot, mean(down ? slot.before : slot.after) ?? slot.x]));
      layer.sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number));
      layer.forEach((slot, i) => {
        slot.x = i - layer.length / 2;
      });
    }
    const now = crossings(layers);
    if (now < fewest) {
      fewest = now;
      best = layers.map((layer) => [...layer]);
    }
  }
  best.forEach((layer, rank) => {
    layers[rank]?.splice(0, layer.length, ...layer);
  });
  number();
  // What comes from nothing stands on the right, where that crosses no more lines.
  for (const layer of layers) {
    const kept = [...layer];
    const moved = [...layer.filter((slot) => !isSource(slot)), ...layer.filter(isSource)];
    layer.splice(0, layer.length, ...moved);
    number();
    if (crossings(layers) <= fewest) continue;
    layer.splice(0, layer.length, ...kept);
    number();
  }
}

function isSource({ box, before }: Slot): boolean {
  return box !== undefined && before.length === 0;
}

function crossings(layers: readonly Slot[][]): number {
  let count = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((slot, i) => slot.after.map((after) => [i, after.x] as const));
    for (let a = 0; a < ends.length; a++) {
      for (let b = a + 1; b < ends.length; b++) {
        const [p, q] = [ends[a], ends[b]] as [readonly [number, number], readonly [number, number]];
        if ((p[0] - q[0]) * (p[1] - q[1]) < 0) count++;
      }
    }
  }
  return count;
}

function mean(slots: readonly Slot[]): number | undefined {
  if (slots.length === 0) return undefined;
  return slots.reduce((sum, slot) => sum + slot.x, 0) / slots.length;
}

/** Where its neighbours would have a slot: those that lead somewhere weigh, ends follow what they belong to. */
function pull(slots: readonly Slot[]): number | undefined {
  let [sum, weights] = [0, 0];
  for (const slot of slots) {
    const weight = weightOf(slot);
    sum += weight * slot.x;
    weights += weight;
  }
  return slots.length === 0 ? undefined : sum / weights;
}

function weightOf({ box, before, after }: Slot): number {
  return box !== undefined && (before.length === 0 || after.length === 0) ? 0.001 : 1;
}

/** Gives each slot its x: near its neighbours, in its layer's order, without overlap. */
function place(layers: readonly Slot[][]): void {
  for (const layer of layers) {
    let x = 0;
    for (const slot of layer) {
      slot.x = x + slot.width / 2;
      x += slot.width + GAP_X;
    }
    for (const slot of layer) slot.x -= x / 2;
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) {
      const wanted = layer.map((slot) => {
        const near = down ? pull(slot.before) : pull(slot.after);
        const far = down ? pull(slot.after) : pull(slot.before);
        // Both, so that a sweep does not forget what the one before it found; what passes keeps a straight line.
        return near === undefined
          ? (far ?? slot.x)
          : far === undefined || slot.box === undefined
            ? near
            : (2 * near + far) / 3;
      });
      spread(layer, wanted);
    }
  }
}

/**
 * The positions nearest to those wanted that keep the order and the gaps: neighbours that would overlap give way to each
 * other, ends before those that lead somewhere.
 */
function spread(layer: readonly Slot[], wanted: readonly number[]): void {
  const groups: { start: number; count: number; sum: number; weight: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  layer.forEach((slot, i) => {
    if (i > 0) offset += ((layer[i - 1] as Slot).width + slot.width) / 2 + GAP_X;
    offsets.push(offset);
    const weight = weightOf(slot);
    groups.push({ start: i, count: 1, sum: weight * ((wanted[i] as number) - offset), weight });
    while (groups.length > 1) {
      const [a, b] = groups.slice(-2) as [(typeof groups)[number], (typeof groups)[number]];
      if (a.sum / a.weight <= b.sum / b.weight) break;
      groups.splice(-2, 2, {
        start: a.start,
        count: a.count + b.count,
        sum: a.sum + b.sum,
        weight: a.weight + b.weight,
      });
    }
  });
  for (const { start, count, sum, weight } of groups) {
    for (let i = start; i < start + count; i++) (layer[i] as Slot).x = sum / weight + (offsets[i] as number);
  }
}
