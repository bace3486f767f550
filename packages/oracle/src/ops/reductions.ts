import type { Axes, Selection, Tensor } from "@gradus/core";
import {
  countNonzero,
  type Interpolation,
  maxAlong,
  minAlong,
  nanmean,
  nanquantile,
  nansum,
  quantile,
  varMean,
} from "@gradus/tensor";
import type { Options } from "../options.js";
import { unsupported } from "../unsupported.js";
import { type Op, type OpTable, unaryWith } from "./op.js";

type Reduce = (x: Tensor, axes: Axes | undefined, options: { readonly keepdims: boolean }) => Tensor;

export const reductions: OpTable = {
  sum: reduction((x, axes, keep) => x.sum(axes, keep)),
  mean: reduction((x, axes, keep) => x.mean(axes, keep)),
  prod: reduction((x, axes, keep) => x.prod(axes, keep)),
  amax: reduction((x, axes, keep) => x.max(axes, keep)),
  amin: reduction((x, axes, keep) => x.min(axes, keep)),
  logsumexp: reduction((x, axes, keep) => x.logsumexp(axes, keep)),
  all: reduction((x, axes, keep) => x.all(axes, keep)),
  any: reduction((x, axes, keep) => x.any(axes, keep)),
  count_nonzero: unaryWith((x, options) => countNonzero(x, axesOf(options))),
  nansum: reduction((x, axes, keep) => nansum(x, axes, keep)),
  nanmean: reduction((x, axes, keep) => nanmean(x, axes, keep)),
  var: unaryWith((x, options) => variance(x, options)),
  std: unaryWith((x, options) =>
    x.std(axesOf(options), { ...keepOf(options), correction: correctionOf(options) }),
  ),
  var_mean: unaryWith((x, options) =>
    varMean(x, axesOf(options), { ...keepOf(options), correction: correctionOf(options) }),
  ),
  norm: unaryWith((x, options) => {
    if (options.get("p") === "nuc") unsupported("norm with p nuc");
    const p = options.get("p") === "fro" ? 2 : options.number("p", 2);
    return x.norm(axesOf(options), { ...keepOf(options), p });
  }),
  argmax: unaryWith((x, options) => x.argmax(axisOf(options), keepOf(options))),
  argmin: unaryWith((x, options) => x.argmin(axisOf(options), keepOf(options))),
  max: extreme("max"),
  min: extreme("min"),
  cumsum: unaryWith((x, options) => x.cumsum(options.number("dim"))),
  cumprod: unaryWith((x, options) => x.cumprod(options.number("dim"))),
  logcumsumexp: unaryWith((x, options) => x.logcumsumexp(options.number("dim"))),
  cummax: selection((x, options) => x.cummax(options.number("dim"))),
  cummin: selection((x, options) => x.cummin(options.number("dim"))),
  argsort: unaryWith((x, options) => x.argsort(options.number("dim", -1), directionOf(options))),
  sort: selection((x, options) => x.sort(options.number("dim", -1), directionOf(options))),
  topk: selection((x, options) =>
    x.topk(options.number("k"), options.number("dim", -1), { largest: options.boolean("largest", true) }),
  ),
  kthvalue: selection((x, options) =>
    x.kthvalue(options.number("k"), options.number("dim", -1), keepOf(options)),
  ),
  quantile: quantileOf(quantile),
  nanquantile: quantileOf(nanquantile),
  median: unaryWith((x, options) => {
    const { values, indices } = x.median(axisOf(options), keepOf(options));
    return options.has("dim") ? [values, indices] : values;
  }),
};

function reduction(reduce: Reduce): Op {
  return unaryWith((x, options) => reduce(x, axesOf(options), keepOf(options)));
}

function selection(f: (x: Tensor, options: Options) => Selection): Op {
  return unaryWith((x, options) => {
    const { values, indices } = f(x, options);
    return [values, indices];
  });
}

/** Every sort of this library is stable. */
function directionOf(options: Options): { readonly descending: boolean } {
  options.boolean("stable", false);
  return { descending: options.boolean("descending", false) };
}

/** The axes to reduce: all of them without `dim`, or with an empty one. */
function axesOf(options: Options): Axes | undefined {
  if (!options.has("dim")) return undefined;
  const axes = options.numbers("dim");
  return axes.length === 0 ? undefined : axes;
}

function axisOf(options: Options): number | undefined {
  return options.has("dim") ? options.number("dim") : undefined;
}

function keepOf(options: Options): { readonly keepdims: boolean } {
  return { keepdims: options.boolean("keepdim", false) };
}

function correctionOf(options: Options): number {
  return options.has("correction") ? options.number("correction") : options.boolean("unbiased", true) ? 1 : 0;
}

function variance(x: Tensor, options: Options): Tensor {
  return x.var(axesOf(options), { ...keepOf(options), correction: correctionOf(options) });
}

/** Without `dim` ties share the gradient; with it, everything goes to the element that the returned index names. */
function extreme(name: "max" | "min"): Op {
  return ([x, other], options) => {
    const input = x as Tensor;
    if (other !== undefined) return name === "max" ? input.maximum(other) : input.minimum(other);
    const axis = axisOf(options);
    if (axis === undefined) return input[name]();
    const along = name === "max" ? maxAlong : minAlong;
    const { values, indices } = along(input, axis, keepOf(options));
    return [values, indices];
  };
}

function quantileOf(f: typeof quantile): Op {
  return ([x, q], options) =>
    f(
      x as Tensor,
      q ??
        (options.numbers("q").length === 1 && !Array.isArray(options.get("q"))
          ? options.number("q")
          : options.numbers("q")),
      axisOf(options),
      {
        ...keepOf(options),
        interpolation: options.string("interpolation", "linear") as Interpolation,
      },
    );
}
