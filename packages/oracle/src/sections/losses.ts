import { vjp } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import type { Check } from "../compare.js";
import { differentiated, inputTensors } from "../inputs.js";
import type { Lab } from "../lab.js";
import { lossCall } from "../losses.js";
import type { LossCase, LossReduction } from "../schema/cases.js";

/** The value and the gradients of a loss, for each reduction. */
export function lossChecks({ loss, options, inputs, reductions }: LossCase, lab: Lab): Check[] {
  const call = lossCall(loss, options, lab);
  const given = inputTensors(inputs, lab);
  return Object.entries(reductions).flatMap(([reduction, expected]) => {
    const by = differentiated(given, expected.grads);
    const run = (some: Readonly<Record<string, Tensor>>): Tensor =>
      call(Object.values({ ...given, ...some }), reduction);
    if (Object.keys(by).length === 0) return [valueCheck(reduction, run({}), expected)];
    const [value, pull] = vjp(run, by);
    const checks: Check[] = [valueCheck(reduction, value, expected)];
    const shapeFits = `${value.shape}` === `${expected.cotangent.shape}`;
    if (!shapeFits) return checks;
    const grads = pull(lab.tensor(expected.cotangent));
    for (const [name, want] of Object.entries(expected.grads)) {
      const got = grads[name];
      if (want === null || got === undefined) continue;
      checks.push({
        what: `${reduction}: grads.${name}`,
        got,
        want,
        or: expected.grads64?.[name] ?? undefined,
      });
    }
    return checks;
  });
}

function valueCheck(reduction: string, got: Tensor, expected: LossReduction): Check {
  return { what: `${reduction}: value`, got, want: expected.value, or: expected.value64 };
}

/** The loss without reduction against its mathematical value, for cases where PyTorch's is another. */
export function exactLossChecks(
  { loss, options, inputs, reductions, exact_none }: LossCase,
  lab: Lab,
): Check[] | undefined {
  const want = exact_none ?? reductions.none?.exact_none;
  if (want === undefined) return undefined;
  const got = lossCall(loss, options, lab)(Object.values(inputTensors(inputs, lab)), "none");
  return [{ what: "none: exact value", got, want }];
}
