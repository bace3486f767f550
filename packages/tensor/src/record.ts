import {
  currentObserver,
  fail,
  type GradNode,
  type History,
  isFloat,
  type Level,
  type Op,
  type Tensor,
} from "@gradus/core";
import { viewOf } from "./apply.js";
import {
  type BatchMap,
  exampleOf,
  examplesOf,
  innermostMap,
  levelCeiling,
  mapDepth,
  outsideOf,
} from "./batching/batch-map.js";
import { batchedVjp } from "./batching/batched-op.js";
import { inOwnRegion } from "./compile/trace.js";
import { asGradusTensor, GradusTensor } from "./gradus-tensor.js";
import { notifyAlias } from "./notify.js";

/*
 * What tensors remember for differentiation. A tensor that stands for one example of a vmap has a history of its own, for
 * differentiations that began within the map; those that began outside of it follow the tensor of all examples.
 */

let nextNodeId = 0;

/** Levels are numbered as they begin. Those below this number are not recorded for; see {@link unrecorded}. */
let firstRecorded = 0;
let nextLevel = 0;
/** The tensors that unrecorded levels differentiate by and that were used meanwhile. */
let uses = new Set<Tensor>();

/**
 * Runs `f` without remembering anything for the differentiations in progress (those that begin within are not concerned).
 * `captured` are the tensors, made before, that it computed with and that these depend on.
 */
export function unrecorded<T>(f: () => T): { readonly result: T; readonly captured: readonly Tensor[] } {
  const outer = { firstRecorded, uses };
  firstRecorded = nextLevel;
  uses = new Set();
  const captured = uses;
  try {
    return { result: f(), captured: [...captured] };
  } finally {
    ({ firstRecorded, uses } = outer);
    noteUses([...captured] as GradusTensor[]);
  }
}

function noteUses(inputs: readonly GradusTensor[]): void {
  // Within an operation on all examples of a map, its user's tensors will be noted.
  if (firstRecorded === 0 || levelCeiling() !== Number.POSITIVE_INFINITY) return;
  for (const x of inputs) if (isUnrecorded(x)) uses.add(x);
}

function isUnrecorded(x: GradusTensor): boolean {
  if (x.history?.levels.some((level) => level.open && (level.order ?? 0) < firstRecorded) === true)
    return true;
  return x.value.kind === "batched" && isUnrecorded(x.value.of);
}

/**
 * Runs `f` with `tensors` themselves as leaves that `level` differentiates by, for code that has them in its closure. In a
 * compiled function what `f` computes is kept apart from what was computed before.
 */
export function replayed<T>(tensors: readonly Tensor[], level: Level, f: () => T): T {
  const histories = tensors.map((x) => x.history);
  try {
    tensors.forEach((x, i) => {
      const original = aliasOf(asGradusTensor("replayed", x));
      original.history = histories[i];
      const { history } = watch(original, level);
      (x as GradusTensor).history = history;
    });
    return inOwnRegion(f);
  } finally {
    tensors.forEach((x, i) => {
      (x as GradusTensor).history = histories[i];
    });
  }
}

/** Links outputs to their inputs if a differentiation is in progress that the inputs matter to. */
export function remember<A>(
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
  outputs: readonly GradusTensor[],
  map: BatchMap | undefined,
): void {
  noteUses(inputs);
  const levels = openLevels(inputs, map);
  if (levels.length === 0 || !outputs.some((y) => isFloat(y.dtype))) return;
  link(op.label?.(attrs) ?? op.name, inputs, outputs, levels, (cotangents, needs) => {
    if (op.vjp === undefined) return fail("not-differentiable", `${op.name} has no derivative`);
    return op.vjp({ cotangents, inputs, outputs, attrs, needs });
  });
}

/** The differentiations in progress that any of the inputs matters to; with `map`, those that its examples keep. */
export function openLevels(inputs: readonly Tensor[], map?: BatchMap): readonly Level[] {
  let found: readonly Level[] = none;
  for (const x of inputs) {
    if (x.history === undefined) continue;
    const { levels } = x.history;
    const open = levels.every((level) => sees(level, x, map))
      ? levels
      : levels.filter((level) => sees(level, x, map));
    if (found.length === 0) found = open;
    else if (found !== open) found = [...new Set([...found, ...open])];
  }
  return found;
}

const none: readonly Level[] = [];

function sees(level: Level, x: Tensor, map: BatchMap | undefined): boolean {
  if (!level.open || (level.depth ?? 0) >= levelCeiling() || (level.order ?? 0) < firstRecorded) return false;
  return (
    map === undefined || examplesOf(x as GradusTensor, map) !== undefined || (level.depth ?? 0) >= map.depth
  );
}

/** Makes `outputs` the outputs of a new node. */
function link(
  name: string,
  inputs: readonly Tensor[],
  outputs: readonly GradusTensor[],
  levels: readonly Level[],
  vjp: GradNode["vjp"],
  keeps?: readonly Tensor[],
): void {
  const node: GradNode = { id: nextNodeId++, name, inputs, values: outputs, vjp, ...(keeps && { keeps }) };
  if (name !== "watch") for (const level of levels) level.used = true;
  outputs.forEach((y, output) => {
    if (isFloat(y.dtype)) (y as { history: History | undefined }).history = { node, output, levels };
  });
}

/** `values` as the outputs of a node of the caller's making. */
export function record(
  name: string,
  inputs: readonly Tensor[],
  values: readonly Tensor[],
  vjp: GradNode["vjp"],
  keeps?: readonly Tensor[],
): readonly GradusTensor[] {
  const [ins, given] = [inputs, values].map((list) => list.map((x) => asGradusTensor(name, x))) as [
    GradusTensor[],
    GradusTensor[],
  ];
  noteUses(ins);
  const map = innermostMap([...ins, ...given]);
  const levels = openLevels(ins, map);
  const outputs = map === undefined ? given.map(aliasOf) : recordAll(name, map, ins, given, vjp, keeps);
  if (levels.length > 0) link(name, ins, outputs, levels, vjp, keeps);
  outputs.forEach((y, k) => {
    notifyAlias(given[k] as GradusTensor, y);
  });
  return outputs;
}

/** The same for all examples of `map`. */
function recordAll(
  name: string,
  map: BatchMap,
  inputs: readonly GradusTensor[],
  values: readonly GradusTensor[],
  vjp: GradNode["vjp"],
  keeps?: readonly Tensor[],
): GradusTensor[] {
  const examples = inputs.map((x) => examplesOf(x, map));
  const batched = examples.map((x) => x !== undefined);
  return outsideOf(map, () => {
    const all = values.map((y) => examplesOf(y, map) ?? y.expand([map.size, ...y.shape]));
    const outputs = record(
      name,
      inputs.map((x, i) => examples[i] ?? x),
      all,
      batchedVjp(map, batched, vjp),
      keeps,
    );
    return outputs.map((y) => exampleOf(y, map));
  });
}

/** `x` as a new leaf that `level` differentiates by. */
export function watch(x: Tensor, level: Level): GradusTensor {
  level.depth ??= mapDepth();
  level.order ??= nextLevel++;
  const source = asGradusTensor("watch", x);
  noteUses([source]);
  const identity: GradNode["vjp"] = (cotangents) => cotangents;
  const map = innermostMap([source]);
  const watched =
    map === undefined
      ? aliasOf(source)
      : (recordAll("watch", map, [source], [source], identity)[0] as GradusTensor);
  link("watch", [source], [watched], [level, ...openLevels([source], map)], identity);
  return watched;
}

/** `x` without the history of differentiations that are over. */
export function settled(x: GradusTensor): GradusTensor {
  if (x.history?.levels.some((level) => level.open) === true) return x;
  if (x.value.kind === "batched") {
    const all = settled(x.value.of);
    return x.history === undefined && all === x.value.of ? x : exampleOf(all, x.value.map);
  }
  return x.history === undefined ? x : aliasOf(x);
}

/** An alias of `x`: the same elements, no history yet. */
export function aliasOf(x: GradusTensor): GradusTensor {
  const alias = newAlias(x);
  if (currentObserver() !== undefined) notifyAlias(x, alias);
  return alias;
}

function newAlias(x: GradusTensor): GradusTensor {
  if (x.value.kind === "batched") return exampleOf(newAlias(x.value.of), x.value.map);
  if (x.value.kind === "traced") return new GradusTensor(x, x.value);
  return viewOf(x, x.value.layout);
}
