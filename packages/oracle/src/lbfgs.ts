import { objective } from "@gradus/autograd";
import type { Tensor } from "@gradus/core";
import { type LbfgsOptions, lbfgs } from "@gradus/optimizers";
import { tensor } from "@gradus/tensor";
import type { Check } from "./compare.js";
import type { Lab } from "./lab.js";
import { objectiveOf } from "./objectives.js";
import { Options } from "./options.js";
import type { OptimizerCase } from "./schema/cases.js";
import { type GoldenTensor, numberOf } from "./schema/values.js";
import { Untranslated, unsupported } from "./unsupported.js";

/** The parameters after each step of PyTorch's L-BFGS, and the objective's values before. */
export async function lbfgsChecks(c: OptimizerCase, lab: Lab): Promise<Check[]> {
  const { gradients, expected } = c;
  if (gradients.kind !== "objective") throw new Untranslated("LBFGS on given gradients");
  const f = objective(objectiveOf(gradients.name, gradients.data, lab));
  const options = new Options(c.options, "LBFGS", lab);
  const optimizer = lbfgs(translate(options));
  options.finish();
  let params: readonly Tensor[] = c.params.map((golden) => lab.tensor(golden));
  let state = optimizer.init(params);
  const losses: number[] = [];
  const checks: Check[] = [];
  for (let step = 0; step < c.steps; step++) {
    const loss = f.value(params, undefined);
    losses.push(((await loss.read()) as ArrayLike<number>)[0] as number);
    const want = expected.losses?.[step];
    if (want !== undefined)
      checks.push({ what: `loss of step ${step}`, got: loss, want: golden([], [want]) });
    ({ params, state } = await optimizer.step(f, params, state, undefined));
    for (const [i, want] of (expected.params[step] ?? []).entries()) {
      checks.push({ what: `parameter ${i} after step ${step}`, got: params[i] as Tensor, want });
    }
  }
  return lab.single && options.has("line_search_fn") ? outcomeChecks(losses, expected.losses ?? []) : checks;
}

/** In float32 a line search takes other points: the last loss is as low, and none is above the one before. */
function outcomeChecks(
  losses: readonly number[],
  expected: NonNullable<OptimizerCase["expected"]["losses"]>,
): Check[] {
  const wanted = numberOf(expected.at(-1) ?? 0);
  const excess = (losses.at(-1) ?? 0) - wanted - 1e-6 * Math.max(1, Math.abs(wanted));
  const rises = losses.filter((loss, i) => i > 0 && loss > (losses[i - 1] as number)).length;
  return [
    { what: "the last loss above PyTorch's", got: tensor([Math.max(0, excess)]), want: golden([1], [0]) },
    { what: "steps that raised the loss", got: tensor([rises]), want: golden([1], [0]) },
  ];
}

function translate(options: Options): LbfgsOptions {
  const search = options.has("line_search_fn") ? options.string("line_search_fn", "") : undefined;
  if (search !== undefined && search !== "strong_wolfe") unsupported(`LBFGS with line_search_fn ${search}`);
  const number = (name: string) => (options.has(name) ? options.number(name) : undefined);
  const given = {
    lr: number("lr"),
    history: number("history_size"),
    iterationsPerStep: number("max_iter"),
    evaluationsPerStep: number("max_eval"),
    gradientTolerance: number("tolerance_grad"),
    changeTolerance: number("tolerance_change"),
  };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    lineSearch: search === undefined ? "none" : "strong-wolfe",
  };
}

function golden(shape: number[], data: GoldenTensor["data"]): GoldenTensor {
  return { dtype: "float64", shape, data };
}
