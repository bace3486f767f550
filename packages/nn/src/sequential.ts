import { fail, type Key, type Layer, type LayerContext } from "@gradus/core";

/** The parameters of several layers: a tuple of each one's. */
export type SequentialParams<Layers extends readonly Layer[]> = {
  [Index in keyof Layers]: ReturnType<Layers[Index]["init"]>["params"];
};

/** The states of several layers: a tuple of each one's. */
export type SequentialState<Layers extends readonly Layer[]> = {
  [Index in keyof Layers]: ReturnType<Layers[Index]["init"]>["state"];
};

/**
 * Layers one after another. Parameters and state are tuples of the layers' own, with their types: those of
 * `sequential(linear(64, 32), relu(), linear(32, 10))` are `[LinearParams, Empty, LinearParams]`.
 *
 * Layer i draws its random numbers from `key.foldIn(i)`, in `init` and in `apply`.
 *
 * @throws `tree-mismatch` when applied to parameters or a state of another number of layers.
 *
 * Source: PyTorch's `nn.Sequential`.
 *
 * @example
 * ```ts
 * import { linear, relu, sequential } from "@gradus/nn";
 * import { key, ones } from "@gradus/tensor";
 * const model = sequential(linear(64, 32), relu(), linear(32, 10));
 * const { params, state } = model.init(key(0));
 * const [logits] = model.apply(params, state, ones([5, 64]), { train: false });
 * console.log(logits.shape, params[2].bias.shape); // → [ 5, 10 ] [ 10 ]
 * ```
 */
export function sequential<Layers extends readonly Layer[]>(
  ...layers: Layers
): Layer<SequentialParams<Layers>, SequentialState<Layers>> {
  return {
    name: `sequential(${layers.map((layer) => layer.name).join(", ")})`,

    init(key) {
      const parts = layers.map((layer, i) => layer.init(key.foldIn(i)));
      return {
        params: parts.map((part) => part.params) as SequentialParams<Layers>,
        state: parts.map((part) => part.state) as SequentialState<Layers>,
      };
    },

    apply(params, state, x, context) {
      checkCount("parameters", params, layers.length);
      checkCount("state", state, layers.length);
      let y = x;
      const next = layers.map((layer, i) => {
        const [output, after] = layer.apply(params[i], state[i], y, contextOf(context, context.key, i));
        y = output;
        return after;
      });
      const changed = next.some((after, i) => after !== state[i]);
      return [y, changed ? (next as SequentialState<Layers>) : state];
    },
  };
}

function contextOf(context: LayerContext, key: Key | undefined, layer: number): LayerContext {
  return key === undefined ? context : { ...context, key: key.foldIn(layer) };
}

function checkCount(what: string, parts: readonly unknown[], layers: number): void {
  if (Array.isArray(parts) && parts.length === layers) return;
  const got = Array.isArray(parts) ? `those of ${parts.length}` : String(parts);
  fail("tree-mismatch", `sequential: expected the ${what} of ${layers} layers, got ${got}`);
}
