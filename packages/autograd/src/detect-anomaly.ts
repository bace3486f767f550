import { fail, formatShape, type GradNode, type OpEvent, observing, type Tensor } from "@gradus/core";
import { creationSite } from "./creation-site.js";

/**
 * Runs `f` and throws at the first operation that makes a NaN or an infinity of inputs that have none, forward or backward,
 * with the place in your program that called it. For a backward pass that is the place of the forward operation whose
 * gradient it is.
 *
 * Every operation is looked at (inside `vmap` all its examples), and compiled functions run operation by operation: for debugging, not for training.
 * Infinities that the program asks for, such as `full([n], -Infinity)` or `where(mask, x, -Infinity)`, are none of its business,
 * nor are those in the data; a NaN that comes of them is.
 *
 * @returns what `f` returns
 * @throws `non-finite`; `no-sync-read` on a device that cannot be read without waiting; `async-scope` if `f` is async.
 *
 * @example
 * ```ts
 * import { detectAnomaly, grad } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const f = (x: Tensor) => x.sqrt().sum();
 * let message = "";
 * try {
 *   detectAnomaly(() => grad(f)(tensor([4, 0])));
 * } catch (error) {
 *   message = String(error);
 * }
 * console.log(message.split(",")[0]);
 * // → GradusError: detectAnomaly: the gradient of sqrt made Infinity at [1] of f32[2]
 * ```
 */
export function detectAnomaly<T>(f: () => T): T {
  const sites = new WeakMap<GradNode, string>();
  const known = new WeakMap<Tensor, State>();
  const stateOf = (x: Tensor): State => {
    let state = known.get(x);
    if (state === undefined) {
      state = examine(x);
      known.set(x, state);
    }
    return state;
  };
  const operation = (event: OpEvent): void => {
    const site = creationSite();
    for (const { history } of event.outputs) if (history !== undefined) sites.set(history.node, site);
    const before = event.inputs.map((x) => stateOf(event.examples(x)));
    const hadInfinity = before.some((state) => state.infinity !== undefined);
    const hadNaN = before.some((state) => state.nan !== undefined);
    const given = numbersOf(event.attrs);
    for (const output of event.outputs) {
      const y = event.examples(output);
      const after = stateOf(y);
      if (after.nan !== undefined && !hadNaN && !given.some(Number.isNaN)) {
        report(event, y, after.nan, site, sites);
      }
      if (after.infinity !== undefined && !hadNaN && !hadInfinity && !given.some(isInfinite)) {
        report(event, y, after.infinity, site, sites);
      }
    }
  };
  const result = observing({ operation }, f);
  if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
    fail("async-scope", "detectAnomaly: the function returned a Promise: look at its synchronous parts");
  }
  return result;
}

/** The first NaN and the first infinity of a tensor. */
interface State {
  readonly nan?: number;
  readonly infinity?: number;
}

function examine(x: Tensor): State {
  if (x.dtype === "i32" || x.dtype === "bool") return {};
  const values = x.data();
  const nan = values.findIndex((value) => Number.isNaN(value));
  const infinity = values.findIndex((value) => isInfinite(value));
  return { ...(nan >= 0 && { nan }), ...(infinity >= 0 && { infinity }) };
}

function report(
  event: OpEvent,
  y: Tensor,
  at: number,
  site: string,
  sites: WeakMap<GradNode, string>,
): never {
  const { gradientOf } = event;
  const value = y.data()[at];
  const what = gradientOf === undefined ? event.name : `the gradient of ${gradientOf.name}`;
  const where = `at ${position(at, y)} of ${y.dtype}${formatShape(y.shape)}`;
  const called = (gradientOf && sites.get(gradientOf)) ?? site;
  const detail = gradientOf === undefined ? "" : `, in its operation "${event.name}"`;
  return fail(
    "non-finite",
    `detectAnomaly: ${what} made ${value} ${where}${detail}\n    of ${inputsOf(event) || "no inputs"}\n    ${gradientOf === undefined ? "called" : "which was called"} ${called}`,
  );
}

function position(at: number, { shape }: Tensor): string {
  let rest = at;
  const found = [...shape].reverse().map((n) => {
    const index = rest % n;
    rest = Math.floor(rest / n);
    return index;
  });
  return `[${found.reverse().join(", ")}]`;
}

/** The inputs with their ranges: what a value too large or too near zero looks like. */
function inputsOf({ inputs, examples }: OpEvent): string {
  return inputs
    .map(examples)
    .map((x) => {
      const values = Array.from(x.data());
      const [low, high] = [Math.min(...values.slice(0, 10000)), Math.max(...values.slice(0, 10000))];
      const range = values.length === 0 ? "empty" : low === high ? `${low}` : `from ${low} to ${high}`;
      return `${x.dtype}${formatShape(x.shape)} (${range})`;
    })
    .join(" and ");
}

function isInfinite(x: number): boolean {
  return Math.abs(x) === Number.POSITIVE_INFINITY;
}

/** The numbers that a program gave an operation beside tensors. */
function numbersOf(attrs: unknown): number[] {
  if (typeof attrs !== "object" || attrs === null) return [];
  return Object.values(attrs)
    .flat()
    .filter((x) => typeof x === "number");
}
