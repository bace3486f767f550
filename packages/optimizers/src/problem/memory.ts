import { fail, formatShape, type OptimizerState, type Scalar, scalar, type Tensor } from "@gradus/core";
import type { FlatLayout } from "./flat-layout.js";

/**
 * What a method keeps from one step to the next, beside the point: numbers with their first values, and tensors, which
 * begin as zeros: vectors of the parameters' size, square matrices of it, or lists, which begin empty.
 */
export interface Keeps {
  readonly scalars: Readonly<Record<string, number>>;
  readonly tensors: Readonly<Record<string, "vector" | "matrix" | "list">>;
}

/** The values of what is kept. */
export interface Memory<K extends Keeps = Keeps> {
  readonly scalars: { readonly [Name in keyof K["scalars"]]: number };
  readonly tensors: {
    readonly [Name in keyof K["tensors"]]: K["tensors"][Name] extends "list" ? readonly Tensor[] : Tensor;
  };
}

/** The loss and gradient of the point that a state belongs to. */
export interface Found {
  readonly loss: number;
  readonly steepness: number;
  readonly gradient: Tensor;
}

/** The state before the first step. */
export function firstState<P>(keeps: Keeps, layout: FlatLayout<P>): OptimizerState<P> {
  const tensors = Object.entries(keeps.tensors).map(([name, kind]) => {
    if (kind === "list") return [name, []] as const;
    return [name, kind === "vector" ? layout.zeros() : layout.matrix()] as const;
  });
  return {
    step: scalar(0),
    slots: {},
    scalars: scalarsOf({ ...keeps.scalars, loss: 0, steepness: 0 }),
    tensors: { ...Object.fromEntries(tensors), gradient: layout.zeros() },
  };
}

/** The state after a step. */
export function nextState<P>(iterations: number, memory: Memory, found: Found): OptimizerState<P> {
  return {
    step: scalar(iterations),
    slots: {},
    scalars: scalarsOf({ ...memory.scalars, loss: found.loss, steepness: found.steepness }),
    tensors: { ...memory.tensors, gradient: found.gradient },
  };
}

/**
 * What a state holds.
 *
 * @throws `tree-mismatch` or `shape-mismatch`, naming the path, unless it is a state of this method for parameters of this
 * size.
 */
export function readState<P, K extends Keeps>(
  method: string,
  keeps: K,
  layout: FlatLayout<P>,
  state: OptimizerState<P>,
): { readonly memory: Memory<K>; readonly found: Found } {
  const foreign = (what: string): never =>
    fail(
      "tree-mismatch",
      `${method}: the state has no ${what}. It belongs to another optimizer, or to other options: call init()`,
    );
  const scalars = Object.fromEntries(
    [...Object.keys(keeps.scalars), "loss", "steepness"].map((name) => {
      const kept = state?.scalars?.[name] as Scalar | undefined;
      return [name, kept === undefined ? foreign(`scalars.${name}`) : kept.value];
    }),
  );
  for (const [name, kind] of Object.entries({ ...keeps.tensors, gradient: "vector" })) {
    const kept = state.tensors?.[name] as Tensor | readonly Tensor[] | undefined;
    if (kept === undefined || Array.isArray(kept) !== (kind === "list")) foreign(`tensors.${name}`);
    if (kind === "list") continue;
    const wanted = kind === "vector" ? [layout.size] : [layout.size, layout.size];
    const { shape } = kept as Tensor;
    if (formatShape(shape) === formatShape(wanted)) continue;
    fail(
      "shape-mismatch",
      `${method}: the state's tensors.${name} has shape ${formatShape(shape)}, these parameters need ${formatShape(wanted)}. ` +
        "It belongs to other parameters: call init()",
    );
  }
  const { loss, steepness, ...own } = scalars;
  const { gradient, ...tensors } = state.tensors as Record<string, Tensor>;
  return {
    memory: { scalars: own, tensors } as unknown as Memory<K>,
    found: { loss: loss as number, steepness: steepness as number, gradient: gradient as Tensor },
  };
}

function scalarsOf(numbers: Readonly<Record<string, number>>): Record<string, Scalar> {
  return Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, scalar(value)]));
}
