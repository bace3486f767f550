import { fail, formatShape } from "@gradus/core";
import { GradusTensor } from "../gradus-tensor.js";

/**
 * One `vmap` in progress: a function runs once on stand-ins for one example each, and every operation on them computes all
 * examples. Maps nest; the depth orders them.
 */
export interface BatchMap {
  /** How many examples. */
  readonly size: number;
  /** How many maps run while this one does, itself included. */
  depth: number;
  open: boolean;
}

const running: BatchMap[] = [];

/** How many maps are running. */
export function mapDepth(): number {
  return running.length;
}

/** Runs `f` in a map: a new one or, to differentiate what was computed in it, one that ran before. */
export function inMap<T>(map: BatchMap, f: (map: BatchMap) => T): T {
  const before = { depth: map.depth, open: map.open };
  running.push(map);
  map.depth = running.length;
  map.open = true;
  try {
    return f(map);
  } finally {
    running.pop();
    Object.assign(map, before);
  }
}

export function newMap(size: number): BatchMap {
  return { size, depth: 0, open: false };
}

/** The stand-in for one example of `x`, whose axis 0 is the batch. */
export function exampleOf(x: GradusTensor, map: BatchMap): GradusTensor {
  return new GradusTensor({ shape: x.shape.slice(1), dtype: x.dtype }, { kind: "batched", of: x, map });
}

/** All examples of `x`, if it stands for one example of `map`. */
export function examplesOf(x: GradusTensor, map: BatchMap): GradusTensor | undefined {
  return x.value.kind === "batched" && x.value.map === map ? x.value.of : undefined;
}

/** The innermost map that any of the tensors stands for an example of. */
export function innermostMap(inputs: readonly GradusTensor[]): BatchMap | undefined {
  let found: BatchMap | undefined;
  for (const { value } of inputs) {
    if (value.kind === "batched" && (found === undefined || value.map.depth > found.depth)) found = value.map;
  }
  return found;
}

/** Throws if `x` stands for an example of a map that is over. */
export function checkMapOpen(op: string, x: GradusTensor): void {
  if (x.value.kind !== "batched" || x.value.map.open) return;
  fail(
    "value-in-trace",
    `${op}: the tensor ${x.dtype}${formatShape(x.shape)} stands for one example of a vmap() and left it. Return it from the mapped function instead`,
  );
}

let ceiling = Number.POSITIVE_INFINITY;

/** Runs `f` on all examples of `map` at once: only differentiations that began outside of the map see it. */
export function outsideOf<T>(map: BatchMap, f: () => T): T {
  const before = ceiling;
  ceiling = map.depth;
  try {
    return f();
  } finally {
    ceiling = before;
  }
}

/** Differentiations that began within this many maps do not see what is computed now. */
export function levelCeiling(): number {
  return ceiling;
}
