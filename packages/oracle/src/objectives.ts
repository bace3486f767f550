import type { Tensor } from "@gradus/core";
import { bceWithLogits } from "@gradus/losses";
import type { Lab } from "./lab.js";
import { Options } from "./options.js";
import type { OptionValues } from "./schema/cases.js";
import { Untranslated } from "./unsupported.js";

type Objective = (params: readonly Tensor[], data: Options) => Tensor;

/** The functions that golden optimizer cases minimise. */
const objectives: Readonly<Record<string, Objective>> = {
  rosenbrock: ([x], data) => {
    const [x0, x1] = [element(x as Tensor, 0), element(x as Tensor, 1)];
    const valley = x1.sub(x0.square()).square().mul(data.number("b", 100));
    return x0.neg().add(data.number("a", 1)).square().add(valley);
  },
  quadratic: ([p], data) => {
    const x = p as Tensor;
    const curved = x.matmul((data.tensor("A") as Tensor).matmul(x)).mul(0.5);
    return curved.sub((data.tensor("b") as Tensor).mul(x).sum());
  },
  extended_rosenbrock: ([p]) => {
    const x = p as Tensor;
    const [before, after] = [x.slice([0, -1]), x.slice([1, undefined])];
    return after.sub(before.square()).square().mul(100).add(before.neg().add(1).square()).sum();
  },
  logistic: ([weight, bias], data) => {
    const [p0, p1] = [weight as Tensor, bias as Tensor];
    const y = data.tensor("y") as Tensor;
    const logits = (data.tensor("X") as Tensor).matmul(p0).add(p1).reshape(y.shape);
    return bceWithLogits(logits, y).add(
      p0
        .square()
        .sum()
        .mul(0.5 * data.number("l2", 0)),
    );
  },
  beale: ([p]) => {
    const [x, y] = [element(p as Tensor, 0), element(p as Tensor, 1)];
    const term = (constant: number, power: number): Tensor =>
      x.mul(y.pow(power)).sub(x).add(constant).square();
    return term(1.5, 1).add(term(2.25, 2)).add(term(2.625, 3));
  },
  abs_sum: ([x], data) => (data.tensor("c") as Tensor).mul((x as Tensor).abs()).sum(),
};

export function objectiveOf(
  name: string,
  data: OptionValues,
  lab: Lab,
): (params: readonly Tensor[]) => Tensor {
  const objective = Object.hasOwn(objectives, name) ? objectives[name] : undefined;
  if (objective === undefined) throw new Untranslated(`objective ${name}`);
  return (params) => objective(params, new Options(data, name, lab));
}

function element(x: Tensor, i: number): Tensor {
  return x.slice([i, i + 1]).reshape([]);
}
