import type { Layer, LayerContext, Tensor } from "@gradus/core";

/** The parameters or the state of a layer that has none. */
export type Empty = Readonly<Record<string, never>>;

export const empty: Empty = {};

/** A layer that is a function: nothing to learn, nothing to remember. */
export function stateless(
  name: string,
  f: (x: Tensor, context: LayerContext) => Tensor,
): Layer<Empty, Empty> {
  return {
    name,
    init: () => ({ params: empty, state: empty }),
    apply: (_, state, x, context) => [f(x, context), state],
  };
}
