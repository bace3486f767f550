import {
  mapTree,
  type Objective,
  type Optimizer,
  type Rule,
  type StopReason,
  type Tensor,
} from "@gradus/core";

/** The way of an optimizer, as data. */
export interface Trajectory {
  readonly name: string;
  /** The start and the parameters after each step. */
  readonly points: readonly (readonly number[])[];
  /** The objective at them. */
  readonly values: readonly number[];
  /** How often the gradient was asked for. */
  readonly gradients: number;
  readonly reason: StopReason | undefined;
}

/**
 * Lets an optimizer, or a first-order rule, go from `start` until it stops or has done `steps` steps.
 *
 * @param name as pictures show it
 */
export async function trajectory(
  name: string,
  optimizer: Optimizer | Rule,
  objective: Objective<Tensor>,
  start: Tensor,
  steps: number,
): Promise<Trajectory> {
  const step =
    "step" in optimizer ? stepsOf(optimizer, objective, start) : updatesOf(optimizer, objective, start);
  const points = [[...start.data()]];
  const values = [objective.value(start, undefined).item()];
  let gradients = 0;
  let reason: StopReason | undefined;
  for (let i = 0; i < steps && reason === undefined; i++) {
    const next = await step();
    gradients += next.gradients;
    reason = next.reason;
    points.push([...next.params.data()]);
    values.push(objective.value(next.params, undefined).item());
  }
  return { name, points, values, gradients, reason };
}

interface Step {
  readonly params: Tensor;
  readonly gradients: number;
  readonly reason?: StopReason | undefined;
}

function stepsOf(optimizer: Optimizer, objective: Objective<Tensor>, start: Tensor): () => Promise<Step> {
  let [params, state] = [start, optimizer.init(start)];
  return async () => {
    const next = await optimizer.step(objective, params, state, undefined);
    ({ params, state } = next);
    return { params, gradients: next.evaluations.gradient, reason: next.reason };
  };
}

function updatesOf(rule: Rule, objective: Objective<Tensor>, start: Tensor): () => Promise<Step> {
  let [params, state] = [start, rule.init(start)];
  return async () => {
    const [, grads] = objective.valueAndGrad(params, undefined);
    const next = rule.update(grads, state, { params });
    params = mapTree(params, (x, update) => x.add(update as Tensor), next.updates);
    state = next.state;
    return { params, gradients: 1 };
  };
}
