import { backward, variable, vjp } from "@gradus/autograd";
import { type MaybePromise, mapTree, type Tensor } from "@gradus/core";
import type { Check } from "../compare.js";
import { differentiated } from "../inputs.js";
import type { Lab } from "../lab.js";
import { type OpCall, opCall } from "../ops/ops.js";
import type { AutogradCase } from "../schema/cases.js";

/** An op's outputs and its vector-Jacobian product. */
export function autogradChecks(c: AutogradCase, lab: Lab): MaybePromise<Check[]> {
  const call = opCall(c, lab);
  const { grads = {}, cotangents = [] } = c;
  const by = differentiated(call.inputs, grads);
  if (call.runWaiting !== undefined) return waitingChecks(c, lab, by, call.runWaiting);
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
  return [...checks, ...gradientChecks(c, pull(given))];
}

/** The same of an op that waits: variables, and the gradient of the outputs times their cotangents. */
async function waitingChecks(
  c: AutogradCase,
  lab: Lab,
  by: Readonly<Record<string, Tensor>>,
  run: NonNullable<OpCall["runWaiting"]>,
): Promise<Check[]> {
  const variables = mapTree(by, variable);
  const outputs = await run(variables);
  const weighted = outputs.flatMap((y, i) => {
    const golden = c.cotangents?.[i] ?? null;
    return golden === null ? [] : [y.mul(lab.tensor(golden)).sum()];
  });
  const checks = outputChecks(c, outputs);
  if (weighted.length === 0 || Object.keys(by).length === 0) return checks;
  const { grads } = backward(
    weighted.reduce((a, b) => a.add(b)),
    variables,
  );
  return [...checks, ...gradientChecks(c, grads)];
}

function gradientChecks(c: AutogradCase, found: Readonly<Record<string, Tensor>>): Check[] {
  return Object.entries(c.grads ?? {}).flatMap(([name, want]): Check[] => {
    const got = found[name];
    if (want === null || got === undefined) return [];
    return [{ what: `grads.${name}`, got, want, or: c.grads64?.[name] ?? undefined }];
  });
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
