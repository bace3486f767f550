import type { Tensor } from "@gradus/core";
import { clipByGlobalNorm, clipByValue } from "@gradus/optimizers";
import type { Check } from "../compare.js";
import type { Lab } from "../lab.js";
import { Options } from "../options.js";
import type { ClippingCase } from "../schema/cases.js";
import { type GoldenTensor, isGoldenTensor } from "../schema/values.js";
import { unsupported } from "../unsupported.js";

/** Clips a list of gradients; its entries are those that there are. */
type Translation = (
  grads: readonly Tensor[],
  options: Options,
) => { readonly grads: readonly Tensor[]; readonly norm?: Tensor };

export const clippers: Readonly<Record<string, Translation>> = {
  clip_grad_norm_: (grads, options) => {
    if (options.boolean("error_if_nonfinite", false)) unsupported("clip_grad_norm_ with error_if_nonfinite");
    options.ignore("foreach");
    return clipByGlobalNorm(grads, options.number("max_norm"), { p: options.number("norm_type", 2) });
  },
  clip_grad_value_: (grads, options) => ({ grads: clipByValue(grads, options.number("clip_value")) }),
};

/** Clipped gradients, and their norm. A parameter without gradient takes no part. */
export function clippingChecks(c: ClippingCase, lab: Lab): Check[] {
  const translation = Object.hasOwn(clippers, c.function) ? clippers[c.function] : undefined;
  if (translation === undefined) return unsupported(c.function);
  const options = new Options(c.options, c.function, lab);
  const present = c.grads.flatMap((golden) => (golden === null ? [] : [golden]));
  const wanted = c.expected.grads.flatMap((golden) => (golden === null ? [] : [golden]));
  const { grads, norm } = translation(
    present.map((golden) => lab.tensor(golden)),
    options,
  );
  options.finish();
  const checks = wanted.map((want, i): Check => ({ what: `grads[${i}]`, got: grads[i] as Tensor, want }));
  const { total_norm } = c.expected;
  if (total_norm === undefined || norm === undefined) return checks;
  const dtype = present[0]?.dtype ?? "float64";
  const want: GoldenTensor = isGoldenTensor(total_norm)
    ? total_norm
    : { dtype, shape: [], data: [total_norm] };
  return [...checks, { what: "total_norm", got: norm, want }];
}
