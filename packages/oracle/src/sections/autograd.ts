import { vjp } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import type { Check } from "../compare.js";
import { differentiated } from "../inputs.js";
import type { Lab } from "../lab.js";
import { opCall } from "../ops/ops.js";
import type { AutogradCase } from "../schema/cases.js";

/** An op's outputs and its vector-Jacobian product. */
export function autogradChecks(c: AutogradCase, lab: Lab): Check[] {
  const call = opCall(c, lab);
  const { grads = {}, cotangents = [] } = c;
  const by = differentiated(call.inputs, grads);
  if (Object.keys(by).length === 0) return outputChecks(c, call.run());
  let outputs: readonly Tensor[] = [];
  // Only the outputs with a cotangent are differentiated: indices are not.
  const [values, pull] = vjp((inputs: Readonly<Record<string, Tensor>>) => {
    outputs = call.run(inputs);
    return outputs.filter((_, i) => (cotangents[i] ?? null) !== null);
  }, by);
  const checks = outputChecks(c, outputs);
  const given = cotangents.flatMap((golden) => (golden === null ? [] : [lab.tensor(golden)]));
  const fits =
    values.length === given.length && values.every((y, i) => `${y.shape}` === `${given[i]?.shape}`);
  if (!fits) return checks;
  const found = pull(given);
  for (const [name, want] of Object.entries(grads)) {
    const got = found[name];
    if (want === null || got === undefined) continue;
    checks.push({ what: `grads.${name}`, got, want, or: c.grads64?.[name] ?? undefined });
  }
  return checks;
}

function outputChecks(c: AutogradCase, outputs: readonly Tensor[]): Check[] {
  const counted: Check = {
    what: "outputs",
    passed: outputs.length === c.outputs.length,
    expected: `${c.outputs.length} outputs`,
    got: `${outputs.length}`,
  };
  const checks = c.outputs.flatMap((want, i): Check[] => {
    const got = outputs[i];
    return got === undefined ? [] : [{ what: `outputs[${i}]`, got, want, or: c.outputs64?.[i] }];
  });
  return [counted, ...checks];
}
