import {
  fail,
  flattenTree,
  isTensor,
  type LayerContext,
  type LayerTap,
  mapTree,
  type Objective,
  type Path,
  type Tensor,
  type WeightUse,
} from "@gradus/core";
import { backward, variable } from "./backward.js";
import { grad } from "./grad.js";
import { hvp } from "./hvp.js";
import { jvp } from "./jvp.js";
import { objective } from "./objective.js";
import { vjp } from "./vjp.js";
import { vmap } from "./vmap.js";

export interface ModelObjectiveOptions<P, Batch> {
  /** What the model makes of a batch: `[examples, ...]`. Its layers get `tap` in their context, where it is given. */
  readonly outputs: (params: P, batch: Batch, tap: LayerContext["tap"]) => Tensor;
  /** The loss of the outputs, averaged over the examples. */
  readonly loss: (outputs: Tensor, batch: Batch) => Tensor;
  /**
   * What the loss says outputs are: the logits of classes (`crossEntropy`), the logits of yes and no (`bceWithLogits`), or means
   * of normal distributions (`mse`). Then taps hold gradients for targets drawn from the model: those of the true Fisher
   * matrix. Default `"empirical"`: gradients for the batch's own targets.
   */
  readonly predicts?: "classes" | "bernoulli" | "normal" | "empirical";
  /** For drawing targets. The same for each call, so that steps are reproducible. Default 0. */
  readonly seed?: number;
}

/** An {@link Objective} that has everything a model with a loss can offer. */
export type ModelObjective<P, Batch> = Objective<P, Batch> &
  Required<Pick<Objective<P, Batch>, "hvp" | "fisherVp" | "perExample" | "layerTaps">>;

/**
 * The loss of a model on batches, as second-order optimizers ask for it: beside value, gradient and Hessian products, those
 * with the generalized Gauss-Newton matrix `J^T H J` (J: the outputs by the parameters, H: the Hessian of the loss by the
 * outputs), which is the Fisher matrix for `crossEntropy`, `bceWithLogits` and `mse`; gradients per example; and the taps that
 * `kfac` needs.
 *
 * @throws `invalid-argument` for a weight that a layer reports and the parameters do not have.
 *
 * @example
 * ```ts
 * import { modelObjective } from "@gradus/autograd";
 * import { crossEntropy } from "@gradus/losses";
 * import { linear, sequential, tanh } from "@gradus/nn";
 * import { key, tensor } from "@gradus/tensor";
 * const model = sequential(linear(4, 8), tanh(), linear(8, 3));
 * const { params, state } = model.init(key(0));
 * const batch = { x: key(1).normal([5, 4]), y: tensor([0, 1, 2, 0, 1], { dtype: "i32" }) };
 * const f = modelObjective({
 *   outputs: (p: typeof params, { x }: typeof batch, tap) => model.apply(p, state, x, { train: true, tap })[0],
 *   loss: (logits, { y }) => crossEntropy(logits, y),
 *   predicts: "classes",
 * });
 * console.log(f.layerTaps(params, batch).map((tap) => tap.input.shape)); // → [ [ 5, 4 ], [ 5, 8 ] ]
 * ```
 */
export function modelObjective<P, Batch>(options: ModelObjectiveOptions<P, Batch>): ModelObjective<P, Batch> {
  const { outputs, loss, predicts = "empirical", seed = 0 } = options;
  const whole = objective((params: P, batch: Batch) => loss(outputs(params, batch, undefined), batch));

  return {
    ...whole,

    fisherVp(params, vector, batch) {
      const f = (p: P) => outputs(p, batch, undefined);
      const [y, pushed] = jvp(f, params, vector);
      const curved = hvp((out: Tensor) => loss(out, batch), y, pushed);
      const [, pull] = vjp(f, params);
      return pull(curved);
    },

    perExample(params, batch) {
      const one = (example: Batch): P =>
        grad((p: P) => {
          const alone = mapTree(example, (x) => x.unsqueeze(0));
          return loss(outputs(p, alone, undefined), alone);
        })(params);
      return vmap(one)(batch);
    },

    layerTaps(params, batch) {
      const uses: { readonly use: WeightUse; readonly added: Tensor }[] = [];
      const y = outputs(params, batch, (use) => {
        const added = variable(use.output.zerosLike());
        uses.push({ use, added });
        return use.output.add(added);
      });
      if (uses.length === 0) return [];
      const cotangent = predicts === "empirical" ? lossCotangent(y, batch) : drawnCotangent(y);
      const { grads } = backward(
        y.mul(cotangent).sum(),
        uses.map(({ added }) => added),
      );
      return uses.map(({ use }, i): LayerTap => {
        const bias = use.bias && pathOf(params, use.bias);
        return {
          weight: pathOf(params, use.weight),
          ...(bias && { bias }),
          layout: use.layout,
          input: use.inputRows().detach(),
          cotangent: use.outputRows(grads[i] as Tensor),
          examples: y.shape[0] as number,
        };
      });
    },
  };

  /** By the outputs, of the loss summed over the examples. */
  function lossCotangent(y: Tensor, batch: Batch): Tensor {
    return grad((out: Tensor) => loss(out, batch))(y.detach()).mul(y.shape[0] as number);
  }

  function drawnCotangent(output: Tensor): Tensor {
    const y = output.detach();
    const key = y.engine.key(seed, { device: y.device });
    const others = y.size / (y.shape[0] as number);
    switch (predicts) {
      case "classes": {
        const classes = y.shape.at(-1) as number;
        const drawn = key.categorical(y.logSoftmax(-1)).oneHot(classes).cast(y.dtype);
        return y
          .softmax(-1)
          .sub(drawn)
          .mul(classes / others);
      }
      case "bernoulli": {
        const p = y.sigmoid();
        const drawn = key.uniform(y.shape, { dtype: y.dtype }).lt(p).cast(y.dtype);
        return p.sub(drawn).div(others);
      }
      default:
        return key.normal(y.shape, { dtype: y.dtype }).mul(Math.sqrt(2 / others));
    }
  }
}

function pathOf(params: unknown, weight: Tensor): Path {
  const { leaves, paths } = flattenTree(params);
  const i = leaves.findIndex((leaf) => isTensor(leaf) && leaf === weight);
  return (
    paths[i] ??
    fail(
      "invalid-argument",
      "modelObjective: a layer reports a weight that is not among the parameters. Are they passed on as they are?",
    )
  );
}
