import type { Tensor } from "@gradus/core";
import { crossEntropy } from "@gradus/losses";
import { stack } from "@gradus/tensor";
import { Untranslated } from "./unsupported.js";

type Inputs = Readonly<Record<string, Tensor>>;

/** Functions with one number as their result, by the text that golden files have for them. */
const scalarFormulas: Readonly<Record<string, (inputs: Inputs) => Tensor>> = {
  "(1 - x[0])^2 + 100 (x[1] - x[0]^2)^2": (inputs) => {
    const [a, b] = elementsOf(named(inputs, "x"));
    return a.neg().add(1).square().add(b.sub(a.square()).square().mul(100));
  },
  "0.5 x^T A x": (inputs) => {
    const x = named(inputs, "x");
    return x.matmul(named(inputs, "A").matmul(x)).mul(0.5);
  },
  "logsumexp(A x)": (inputs) => named(inputs, "A").matmul(named(inputs, "x")).logsumexp(),
  "sum(tanh(W x)^2), with respect to x and W": (inputs) =>
    named(inputs, "W").matmul(named(inputs, "x")).tanh().square().sum(),
  "mean cross-entropy of X W with class indices y, with respect to W": (inputs) =>
    crossEntropy(named(inputs, "X").matmul(named(inputs, "W")), named(inputs, "y")),
  "sin(a b) + exp(a / b)": (inputs) => {
    const [a, b] = [named(inputs, "a"), named(inputs, "b")];
    return a.mul(b).sin().add(a.div(b).exp());
  },
};

const elementwiseFormulas: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  exp: (x) => x.exp(),
  log: (x) => x.log(),
  sqrt: (x) => x.sqrt(),
  tanh: (x) => x.tanh(),
  sigmoid: (x) => x.sigmoid(),
  softplus: (x) => x.softplus(),
  erf: (x) => x.erf(),
  gelu: (x) => x.gelu(),
  silu: (x) => x.silu(),
};

/** Functions from a vector to a vector. */
const jacobianFormulas: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "softmax(x, 0)": (x) => x.softmax(0),
  "[x0 cos x1, x0 sin x1]": (x) => {
    const [radius, angle] = elementsOf(x);
    return stack([radius.mul(angle.cos()), radius.mul(angle.sin())]);
  },
};

export const formulaCount = Object.keys({ ...scalarFormulas, ...jacobianFormulas }).length;

export function scalarFormula(text: string): (inputs: Inputs) => Tensor {
  return lookUp(scalarFormulas, text);
}

export function jacobianFormula(text: string): (x: Tensor) => Tensor {
  return lookUp(jacobianFormulas, text);
}

/** A power of x, or a function of it such as `sin(x)`. */
export function elementwiseFormula(text: string): (x: Tensor) => Tensor {
  const power = /^x\^(\d+)$/.exec(text)?.[1];
  if (power !== undefined) return (x) => x.pow(Number(power));
  const name = /^(\w+)\(x\)$/.exec(text)?.[1];
  const op =
    name !== undefined && Object.hasOwn(elementwiseFormulas, name) ? elementwiseFormulas[name] : undefined;
  if (op === undefined) throw new Untranslated(`formula ${text}`);
  return op;
}

function lookUp<T>(table: Readonly<Record<string, T>>, text: string): T {
  const found = Object.hasOwn(table, text) ? table[text] : undefined;
  if (found === undefined) throw new Untranslated(`formula ${text}`);
  return found;
}

function named(inputs: Inputs, name: string): Tensor {
  return inputs[name] ?? missing(name);
}

function missing(name: string): never {
  throw new Untranslated(`formula without the input ${name}`);
}

/** The first two elements of a vector. */
function elementsOf(x: Tensor): [Tensor, Tensor] {
  return [x.slice([0, 1]).reshape([]), x.slice([1, 2]).reshape([])];
}
