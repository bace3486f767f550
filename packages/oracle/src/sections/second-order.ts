import { grad, valueAndGrad, vjp } from "@gradus/autograd";
import { mapTree, type Tensor, tensorsOf } from "@gradus/core";
import { concat, eye, stack } from "@gradus/tensor";
import type { Check } from "../compare.js";
import { elementwiseFormula, jacobianFormula, scalarFormula } from "../formulas.js";
import { differentiated, inputTensors } from "../inputs.js";
import type { Lab } from "../lab.js";
import { opCall } from "../ops/ops.js";
import type { SecondOrderCase } from "../schema/cases.js";

type Tensors = Readonly<Record<string, Tensor>>;
type CaseOf<Kind extends SecondOrderCase["kind"]> = Extract<SecondOrderCase, { readonly kind: Kind }>;

/** Derivatives beyond one reverse pass. */
export function secondOrderChecks(c: SecondOrderCase, lab: Lab): Check[] {
  switch (c.kind) {
    case "jvp":
      return jvpChecks(c, lab);
    case "hvp":
      return hvpChecks(c, lab);
    case "hessian":
      return hessianChecks(c, lab);
    case "derivatives":
      return derivativeChecks(c, lab);
    case "jacobian":
      return jacobianChecks(c, lab);
    default:
      return c satisfies never;
  }
}

/**
 * Jacobian times tangents, from two reverse passes: the pullback is linear in its cotangents, and the pullback of that
 * is the Jacobian again.
 */
function jvpChecks(c: CaseOf<"jvp">, lab: Lab): Check[] {
  const call = opCall(c, lab);
  const by = differentiated(call.inputs, c.tangents);
  const f = (inputs: Tensors): readonly Tensor[] =>
    differentiable(call.run(inputs)).slice(0, c.outputs.length);
  const outputs = f(by);
  const transposed = (cotangents: readonly Tensor[]): Tensors => vjp(f, by)[1](cotangents);
  const [, push] = vjp(
    transposed,
    outputs.map((y) => y.zerosLike()),
  );
  const tangents = push(inputTensors(c.tangents, lab));
  return [...checkAll("outputs", outputs, c.outputs), ...checkAll("jvp", tangents, c.jvp)];
}

/** Of s = sum over the outputs y of cotangent (y^2 / 2 + y): its value, gradient, and Hessian times a vector. */
function hvpChecks(c: CaseOf<"hvp">, lab: Lab): Check[] {
  const call = opCall(c, lab);
  const by = differentiated(call.inputs, c.grads);
  const weights = c.cotangents.map((golden) => (golden === null ? undefined : lab.tensor(golden)));
  const s = (inputs: Tensors): Tensor =>
    differentiable(call.run(inputs))
      .flatMap((y, i) => (weights[i] === undefined ? [] : [y.square().div(2).add(y).mul(weights[i]).sum()]))
      .reduce((a, b) => a.add(b));
  const [value, grads] = valueAndGrad(s)(by);
  const vector = inputTensors(c.vector, lab);
  const hvp = grad((inputs: Tensors) => dot(grad(s)(inputs), vector))(by);
  return [
    { what: "value", got: value, want: c.value },
    ...checkNamed("grads", grads, c.grads),
    ...checkNamed("hvp", hvp, c.hvp),
  ];
}

function hessianChecks(c: CaseOf<"hessian">, lab: Lab): Check[] {
  const formula = scalarFormula(c.formula);
  const given = inputTensors(c.inputs, lab);
  const by = Object.fromEntries(c.wrt.map((name) => [name, given[name] as Tensor]));
  const f = (inputs: Tensors): Tensor => formula({ ...given, ...inputs });
  const [value, grads] = valueAndGrad(f)(by);
  const [, pull] = vjp((inputs: Tensors) => flat(grad(f)(inputs)), by);
  const gradient = flat(grads);
  return [
    { what: "value", got: value, want: c.value },
    { what: "grad", got: gradient, want: c.grad },
    { what: "hessian", got: rowsOf(gradient, pull), want: c.hessian },
  ];
}

/** The k-th derivative of an elementwise function, by k nested gradients of sums. */
function derivativeChecks(c: CaseOf<"derivatives">, lab: Lab): Check[] {
  let f = elementwiseFormula(c.formula);
  const { x } = inputTensors(c.inputs, lab);
  // Number 0 is the function itself.
  return c.derivatives.map((want, k) => {
    if (k > 0) {
      const before = f;
      f = grad((at: Tensor) => before(at).sum());
    }
    return { what: `derivatives[${k}]`, got: f(x as Tensor), want };
  });
}

function jacobianChecks(c: CaseOf<"jacobian">, lab: Lab): Check[] {
  const f = jacobianFormula(c.formula);
  const [output, pull] = vjp(f, inputTensors(c.inputs, lab).x as Tensor);
  return [
    { what: "output", got: output, want: c.output },
    { what: "jacobian", got: rowsOf(output, pull), want: c.jacobian },
  ];
}

/** The Jacobian's rows: the pullback of each unit vector. */
function rowsOf(y: Tensor, pull: (cotangent: Tensor) => Tensor | Tensors): Tensor {
  const units = eye(y.size, y.size, { dtype: y.dtype });
  const rows = Array.from({ length: y.size }, (_, i) => flat(pull(units.slice([i, i + 1]).reshape(y.shape))));
  return stack(rows);
}

/** All tensors of a tree in one vector. */
function flat(tree: Tensor | Tensors): Tensor {
  return concat(tensorsOf(tree).map((x) => x.reshape([x.size])));
}

function dot(a: Tensors, b: Tensors): Tensor {
  return tensorsOf(mapTree(a, (x, y) => x.mul(y as Tensor).sum(), b)).reduce((x, y) => x.add(y));
}

function differentiable(outputs: readonly Tensor[]): Tensor[] {
  return outputs.filter((y) => y.dtype === "f32" || y.dtype === "f64");
}

function checkAll(what: string, got: readonly Tensor[], want: CaseOf<"jvp">["jvp"]): Check[] {
  return want.map((golden, i): Check => {
    const tensor = got[i];
    if (tensor !== undefined) return { what: `${what}[${i}]`, got: tensor, want: golden };
    return { what: `${what}[${i}]`, passed: false, expected: "an output", got: "none" };
  });
}

function checkNamed(what: string, got: Tensors, want: CaseOf<"hvp">["grads"]): Check[] {
  return Object.entries(want).map(([name, golden]) => ({
    what: `${what}.${name}`,
    got: got[name] as Tensor,
    want: golden,
  }));
}
