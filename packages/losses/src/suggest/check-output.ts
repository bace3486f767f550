import type { Question } from "../suggest-loss.js";
import type { Activation } from "./output-layer.js";
import { type Draft, percent } from "./suggestion.js";

/** What does not fit between the network's end, the targets and the loss. */
export function checkOutput({ loss, lastLayer }: Draft, { output, facts }: Question): string[] {
  const warnings: string[] = [];
  const { units, activation } = output;
  if (units !== undefined && lastLayer.units !== undefined && units !== lastLayer.units) {
    warnings.push(`the last layer has ${units} outputs, ${loss} needs ${lastLayer.units}`);
  }
  if (activation === undefined || activation === lastLayer.activation) return warnings;
  if (activation === "none") {
    warnings.push(
      `the last layer has no activation: put a ${lastLayer.activation} there, since ${loss} takes probabilities`,
    );
    return warnings;
  }
  const reached = activation === "softmax" || activation === "sigmoid" || activation === "logSoftmax";
  if (reached && lastLayer.activation === "none") {
    warnings.push(
      `remove the ${activation} at the end: ${
        regressions.has(loss)
          ? `it cannot reach the targets, ${facts.min} to ${facts.max}`
          : `${loss} takes logits and applies its own, and twice makes gradients vanish`
      }`,
    );
    return warnings;
  }
  const range = ranges[activation];
  const outside =
    range === undefined
      ? 0
      : facts.sorted.filter((t) => t < range[0] || t > range[1]).length / facts.sorted.length;
  if (outside > 0 && regressions.has(loss)) {
    warnings.push(
      `the ${activation} at the end reaches ${range?.[0]} to ${range?.[1]} only, and ${percent(outside)} of the targets are outside: remove it`,
    );
  } else {
    warnings.push(
      `the ${activation} at the end ${activation === "relu" ? "has no gradient where it is 0, and " : ""}is not needed: ` +
        `${loss} goes with ${lastLayer.activation === "none" ? "a linear layer" : `a ${lastLayer.activation}`}`,
    );
  }
  return warnings;
}

const regressions: ReadonlySet<string> = new Set([
  "mse",
  "l1",
  "huber",
  "logCosh",
  "quantile",
  "heteroscedastic",
  "evidential",
  "tobit",
]);

/** What activations can give. */
const ranges: Readonly<Partial<Record<Activation, readonly [number, number]>>> = {
  sigmoid: [0, 1],
  softmax: [0, 1],
  tanh: [-1, 1],
  relu: [0, Number.POSITIVE_INFINITY],
  softplus: [0, Number.POSITIVE_INFINITY],
  exp: [0, Number.POSITIVE_INFINITY],
  logSoftmax: [Number.NEGATIVE_INFINITY, 0],
};
