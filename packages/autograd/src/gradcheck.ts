import {
  fail,
  flattenTree,
  formatPath,
  isTensor,
  mapTree,
  type Path,
  type Shape,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { engineOf } from "./grad.js";
import { vjp } from "./vjp.js";

export interface GradcheckOptions {
  /** Half the distance of the central difference. Default 1e-6. */
  readonly epsilon?: number;
  /** Default 1e-5. */
  readonly atol?: number;
  /** Default 1e-3. */
  readonly rtol?: number;
  /**
   * Compare one random projection of each Jacobian instead of each of its elements: two calls of `f` for each input instead
   * of two for each element. Where it fails, the elements are looked at to name one. Default false.
   */
  readonly fast?: boolean;
  /** Of the random projections. Default 0. */
  readonly seed?: number;
}

export interface GradcheckReport {
  /** How many derivatives were compared (with `fast`, how many projections). */
  readonly compared: number;
  /** The greatest difference between an analytic and a numeric derivative. */
  readonly maxError: number;
}

/**
 * Compares the gradient of `f` with central differences, each output element by each input element, in float64.
 * Defaults are those of PyTorch's `gradcheck`.
 *
 * @param f of a tree of f64 tensors, with a tree of f64 tensors as its result
 * @param inputs where to look
 * @throws `gradient-mismatch`, with the input, the elements and both numbers, unless
 * `|analytic - numeric| <= atol + rtol * |numeric|` everywhere. Where the function has a kink, so that the slopes from below
 * and above differ, the message says so: there a difference means little, and the point should be moved. `dtype-mismatch`
 * for other dtypes than f64.
 *
 * @example
 * ```ts
 * import { gradcheck } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const report = gradcheck((x: Tensor) => x.sin(), tensor([0.1, 2], { dtype: "f64" }));
 * report.compared; // → 4
 * ```
 */
export function gradcheck<P>(
  f: (inputs: P) => unknown,
  inputs: P,
  options: GradcheckOptions = {},
): GradcheckReport {
  return check("gradcheck", f, inputs, options);
}

/**
 * {@link gradcheck} of the gradient itself: compares second derivatives with differences of first ones. The cotangents
 * are random, and differentiated by as well, as in PyTorch's `gradgradcheck`; messages name `inputs` and `cotangents`.
 *
 * @example
 * ```ts
 * import { gradgradcheck } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const report = gradgradcheck((x: Tensor) => x.sin(), tensor([0.1, 2], { dtype: "f64" }));
 * report.compared; // → 8
 * ```
 */
export function gradgradcheck<P>(
  f: (inputs: P) => unknown,
  inputs: P,
  options: GradcheckOptions = {},
): GradcheckReport {
  checkDTypes("gradgradcheck", inputs);
  const numbers = randomNumbers((options.seed ?? 0) + 1);
  return engineOf("gradgradcheck", inputs).scope(() => {
    const [value] = vjp(f, inputs);
    const cotangents = mapTree(value, (y) => fromNumbers(y, Float64Array.from({ length: y.size }, numbers)));
    const gradient = (at: { readonly inputs: P; readonly cotangents: unknown }): P =>
      vjp(f, at.inputs)[1](at.cotangents);
    return check("gradgradcheck", gradient, { inputs, cotangents }, options);
  });
}

function check<P>(
  name: string,
  f: (inputs: P) => unknown,
  inputs: P,
  options: GradcheckOptions,
): GradcheckReport {
  checkDTypes(name, inputs);
  return engineOf(name, inputs).scope(() => {
    const checker = new Checker(name, f, inputs, options);
    if (options.fast !== true) return checker.elements();
    try {
      return checker.projections();
    } catch (error) {
      // The element behind it, if one stands out.
      checker.elements();
      throw error;
    }
  });
}

function checkDTypes(name: string, inputs: unknown): void {
  const { leaves, paths } = flattenTree(inputs);
  leaves.forEach((leaf, i) => {
    if (isTensor(leaf) && leaf.dtype !== "f64") {
      fail(
        "dtype-mismatch",
        `${name}: ${formatPath(paths[i] ?? [])} is ${leaf.dtype}: differences need f64. Convert it: x.cast("f64")`,
      );
    }
  });
}

/** A tensor of a tree and where it is. */
interface Place {
  readonly x: Tensor;
  readonly path: Path;
}

class Checker<P> {
  private readonly epsilon: number;
  private readonly atol: number;
  private readonly rtol: number;
  private readonly inputs: readonly Place[];
  private readonly outputs: readonly Place[];
  private readonly pull: (cotangents: unknown) => P;
  private readonly value: unknown;
  private compared = 0;
  private maxError = 0;

  constructor(
    private readonly name: string,
    private readonly f: (inputs: P) => unknown,
    private readonly at: P,
    private readonly options: GradcheckOptions,
  ) {
    ({ epsilon: this.epsilon = 1e-6, atol: this.atol = 1e-5, rtol: this.rtol = 1e-3 } = options);
    [this.value, this.pull] = vjp(f, at) as [unknown, (cotangents: unknown) => P];
    this.inputs = placesOf(at);
    this.outputs = placesOf(this.value);
    for (const { x, path } of this.outputs) {
      if (x.dtype !== "f64") {
        fail("dtype-mismatch", `${name}: the result ${formatPath(path)} is ${x.dtype}: differences need f64`);
      }
    }
  }

  /** Each element of each output by each element of each input. */
  elements(): GradcheckReport {
    const rows = this.outputs.map(({ x }, o) =>
      Array.from({ length: x.size }, (_, j) => {
        const unit = new Float64Array(x.size);
        unit[j] = 1;
        return this.gradients(o, unit);
      }),
    );
    this.inputs.forEach(({ x }, k) => {
      for (let i = 0; i < x.size; i++) {
        const direction = new Float64Array(x.size);
        direction[i] = 1;
        const [above, below] = [1, -1].map((sign) => this.moved(k, direction, sign * this.epsilon));
        this.outputs.forEach(({ x: y }, o) => {
          for (let j = 0; j < y.size; j++) {
            const numeric = ((above?.[o]?.[j] as number) - (below?.[o]?.[j] as number)) / (2 * this.epsilon);
            const analytic = rows[o]?.[j]?.[k]?.[i] as number;
            this.compare(analytic, numeric, () => {
              const [from, to] = [
                element(this.inputs[k] as Place, i, "input"),
                element(this.outputs[o] as Place, j, "output"),
              ];
              return { what: `d ${to} / d ${from}`, kink: this.kinkAt(k, direction, o, j) };
            });
          }
        });
      }
    });
    return this.report();
  }

  /** `v^T J u` for random unit vectors u of each input and v of each output. */
  projections(): GradcheckReport {
    const numbers = randomNumbers(this.options.seed ?? 0);
    const directions = this.inputs.map(({ x }) => unitVector(x.size, numbers));
    const weights = this.outputs.map(({ x }) => unitVector(x.size, numbers));
    this.outputs.forEach((output, o) => {
      const v = weights[o] as Float64Array;
      const gradients = this.gradients(o, v);
      this.inputs.forEach((input, k) => {
        const u = directions[k] as Float64Array;
        const [above, below] = [1, -1].map((sign) => this.moved(k, u, sign * this.epsilon));
        const numeric =
          (dot(v, above?.[o] as ArrayLike<number>) - dot(v, below?.[o] as ArrayLike<number>)) /
          (2 * this.epsilon);
        this.compare(dot(gradients[k] as ArrayLike<number>, u), numeric, () => ({
          what: `a random projection of d ${nameOf(output, "output")} / d ${nameOf(input, "input")}`,
        }));
      });
    });
    return this.report();
  }

  private report(): GradcheckReport {
    return { compared: this.compared, maxError: this.maxError };
  }

  private compare(analytic: number, numeric: number, where: () => { what: string; kink?: string }): void {
    const error = Math.abs(analytic - numeric);
    this.compared++;
    if (error <= this.atol + this.rtol * Math.abs(numeric) || Object.is(analytic, numeric)) {
      this.maxError = Math.max(this.maxError, error);
      return;
    }
    const { what, kink = "" } = where();
    fail(
      "gradient-mismatch",
      `${this.name}: ${what}: analytic ${analytic}, numeric ${numeric} (difference ${error})${kink}`,
    );
  }

  /** The inputs' gradients for one output's cotangent. */
  private gradients(output: number, cotangent: Float64Array): ArrayLike<number>[] {
    let next = 0;
    const cotangents = mapTree(this.value, (y) =>
      next++ === output ? fromNumbers(y, cotangent) : y.zerosLike(),
    );
    return tensorsOf(this.pull(cotangents)).map((g) => g.data());
  }

  /** The outputs where input `k` is moved along a direction. */
  private moved(k: number, direction: Float64Array, distance: number): ArrayLike<number>[] {
    let next = 0;
    const there = mapTree(this.at, (x) => {
      if (next++ !== k) return x;
      return fromNumbers(
        x,
        Float64Array.from(x.data(), (value, i) => value + distance * (direction[i] as number)),
      );
    });
    return tensorsOf(this.f(there)).map((y) => y.data());
  }

  /** What to say if the slopes from below and from above differ, however near one looks. */
  private kinkAt(k: number, direction: Float64Array, output: number, j: number): string {
    const value = (distance: number): number => this.moved(k, direction, distance)[output]?.[j] as number;
    const middle = value(0);
    const slopes = (h: number): [number, number] => [(middle - value(-h)) / h, (value(h) - middle) / h];
    const [below, above] = slopes(this.epsilon);
    const [nearBelow, nearAbove] = slopes(this.epsilon / 10);
    const [gap, nearGap] = [above - below, nearAbove - nearBelow];
    const scale = Math.max(Math.abs(below), Math.abs(above));
    const stays =
      Math.abs(gap) > Math.max(1e-4, 1e-2 * scale) && Math.abs(nearGap - gap) < 0.2 * Math.abs(gap);
    if (!stays) return "";
    return `. This is a kink: the slope is ${tidy(below)} from below and ${tidy(above)} from above. Check at a point away from it`;
  }
}

function placesOf(tree: unknown): Place[] {
  const { leaves, paths } = flattenTree(tree);
  return leaves.flatMap((x, i) => (isTensor(x) ? [{ x, path: paths[i] ?? [] }] : []));
}

/** The whole tree is "input" or "output"; a part of it has its path. */
function nameOf({ path }: Place, whole: string): string {
  if (path.length === 0) return whole;
  return whole === "output" ? `output.${formatPath(path)}` : formatPath(path);
}

function element(place: Place, i: number, whole: string): string {
  const { shape } = place.x;
  return shape.length === 0
    ? nameOf(place, whole)
    : `${nameOf(place, whole)}[${coordinates(i, shape).join(", ")}]`;
}

function coordinates(i: number, shape: Shape): number[] {
  let rest = i;
  return [...shape]
    .reverse()
    .map((n) => {
      const at = rest % n;
      rest = Math.floor(rest / n);
      return at;
    })
    .reverse();
}

function fromNumbers(like: Tensor, values: Float64Array): Tensor {
  return like.engine.tensor(values, { shape: like.shape, dtype: "f64", device: like.device });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function unitVector(size: number, numbers: () => number): Float64Array {
  const v = Float64Array.from({ length: size }, numbers);
  const length = Math.sqrt(dot(v, v));
  return v.map((x) => x / length);
}

/** Numbers from 0.5 to 1.5 of either sign: none is so small that it would hide an element. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  const next = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => (0.5 + next()) * (next() < 0.5 ? -1 : 1);
}

function tidy(x: number): string {
  return String(Number(x.toPrecision(4)));
}
