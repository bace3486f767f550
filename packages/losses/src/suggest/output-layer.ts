import { isFloat, isTensor, type Layer, type Tensor } from "@gradus/core";

/** What stands at the end of a network. */
export type Activation = "none" | "sigmoid" | "softmax" | "logSoftmax" | "tanh" | "relu" | "softplus" | "exp";

/** The end of a network, as far as a loss cares. */
export interface OutputLayer {
  /** How many numbers there are for each sample. */
  readonly units?: number;
  readonly activation?: Activation;
}

const activations: readonly Activation[] = [
  "sigmoid",
  "softmax",
  "logSoftmax",
  "tanh",
  "relu",
  "softplus",
  "exp",
];

/**
 * What is known of an output layer: from what is said of it, from a layer's name (the last one's of a `sequential`), or
 * from what a network answered.
 */
export function outputLayerOf(output: OutputLayer | Layer | Tensor | undefined): OutputLayer {
  if (output === undefined) return {};
  if (isTensor(output)) return fromAnswers(output);
  if ("apply" in output) return fromName(output.name);
  return output;
}

/** Of `sequential(linear(64, 32), relu(), linear(32, 10))`: 10 units and no activation. */
function fromName(name: string): OutputLayer {
  // Innermost calls only: `linear(32, 10)`, `softmax(1)`.
  const calls = [...name.matchAll(/(\w+)\(([^()]*)\)/g)];
  let activation: Activation = "none";
  for (const [, layer, values = ""] of calls.reverse()) {
    if (layer === "linear") {
      const units = Number(values.split(",")[1]);
      return Number.isInteger(units) && units > 0 ? { units, activation } : { activation };
    }
    const known = activations.find((one) => one === layer);
    if (known !== undefined) activation = known;
    else if (layer !== "dropout" && layer !== "flatten") break;
  }
  return activation === "none" ? {} : { activation };
}

function fromAnswers(output: Tensor): OutputLayer {
  const units = output.ndim < 2 ? 1 : (output.shape[1] as number);
  if (!isFloat(output.dtype) || output.size === 0) return { units };
  const activation = activationOf(output.data(), output.ndim === 2 ? units : 1);
  return activation === undefined ? { units } : { units, activation };
}

/** Which activation numbers betray; undefined where they may come from several. */
function activationOf(data: ArrayLike<number>, width: number): Activation | undefined {
  let [least, most, zeros] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  let [sumsToOne, logSumsToZero] = [width > 1, width > 1];
  for (let start = 0; start < data.length; start += width) {
    let [total, exponentials] = [0, 0];
    for (let i = start; i < start + width; i++) {
      const x = data[i] as number;
      least = Math.min(least, x);
      most = Math.max(most, x);
      if (x === 0) zeros++;
      total += x;
      exponentials += Math.exp(x);
    }
    sumsToOne &&= Math.abs(total - 1) < 1e-3;
    logSumsToZero &&= Math.abs(exponentials - 1) < 1e-3;
  }
  if (logSumsToZero && most <= 0) return "logSoftmax";
  if (sumsToOne && least >= 0) return "softmax";
  if (least < -1 || (least < 0 && most > 1)) return "none";
  if (data.length < 8) return undefined;
  if (least > 0 && most < 1) return "sigmoid";
  if (least === 0 && zeros >= 0.1 * data.length) return "relu";
  return undefined;
}
