import { fail, type GradNode, type History, isFloat, type Level, type Op, type Tensor } from "@gradus/core";
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
import { asGradusTensor, GradusTensor } from "./gradus-tensor.js";

/*
 * What tensors remember for differentiation. A tensor that stands for one example of a vmap has a history of its own, for
 * differentiations that began within the map; those that began outside of it follow the tensor of all examples.
 */

let nextNodeId = 0;

/** Links outputs to their inputs if a differentiation is in progress that the inputs matter to. */
export function remember<A>(
  op: Op<A>,
  inputs: readonly GradusTensor[],
  attrs: A,
  outputs: readonly GradusTensor[],
  map: BatchMap | undefined,
): void {
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
  if (!level.open || (level.depth ?? 0) >= levelCeiling()) return false;
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
  const map = innermostMap([...ins, ...given]);
  const levels = openLevels(ins, map);
  const outputs = map === undefined ? given.map(aliasOf) : recordAll(name, map, ins, given, vjp, keeps);
  if (levels.length > 0) link(name, ins, outputs, levels, vjp, keeps);
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
  const source = asGradusTensor("watch", x);
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
  if (x.value.kind === "batched") return exampleOf(aliasOf(x.value.of), x.value.map);
  if (x.value.kind === "traced") return new GradusTensor(x, x.value);
  return viewOf(x, x.value.layout);
}
