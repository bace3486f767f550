import { type Backend, type DType, flattenTree, mapTree, type Objective, type Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";

/** A tree of parameters with all that a tree may have: lists, objects, matrices, a vector of one element, constants. */
export interface Params {
  readonly layers: readonly [
    { readonly weight: Tensor; readonly bias: Tensor },
    { readonly weight: Tensor; readonly bias: Tensor; readonly activation: "tanh" },
  ];
  readonly scale: Tensor;
  readonly none: null;
}

export interface ProblemOptions {
  readonly device?: Backend;
  readonly dtype?: DType;
  /** Whether there are tensors of less than two axes. Default true. */
  readonly vectors?: boolean;
}

/** The quadratic `sum over all elements of c (p - target)^2 / 2`, whose c are from 0.5 to 2: all derivatives in closed form. */
export class Quadratic {
  readonly start: Params;
  private readonly targets: Params;
  private readonly curvatures: Params;

  constructor(options: ProblemOptions = {}) {
    const { device, dtype = "f32", vectors = true } = options;
    let seed = 0;
    /** Numbers from -1 to 1 that look random. */
    const next = (): number => {
      seed++;
      return Math.sin(12.9898 * seed) * Math.cos(4.1414 * seed * seed);
    };
    const make = (shape: readonly number[], f: (x: number) => number): Tensor => {
      const full = vectors || shape.length > 1 ? shape : [...shape, 1, 1].slice(0, 2);
      const size = full.reduce((a, b) => a * b, 1);
      const values = Float64Array.from({ length: size }, () => f(next()));
      return tensor(values, { shape: full, dtype, ...(device !== undefined && { device }) });
    };
    const tree = (f: (x: number) => number): Params => ({
      layers: [
        { weight: make([4, 3], f), bias: make([4], f) },
        { weight: make([2, 4], f), bias: make([2], f), activation: "tanh" },
      ],
      scale: make([1], f),
      none: null,
    });
    this.targets = tree((x) => (x < 0 ? x - 0.5 : x + 0.5));
    this.curvatures = tree((x) => 1.25 + 0.75 * x);
    this.start = tree((x) => 0.1 * x);
  }

  loss(params: Params): Tensor {
    const terms = mapTree(params, (p, t, c) => p.sub(t).square().mul(c).sum(), this.targets, this.curvatures);
    return flattenTree(terms)
      .leaves.map((leaf) => leaf as Tensor)
      .reduce((a, b) => a.add(b))
      .mul(0.5);
  }

  grads(params: Params): Params {
    return mapTree(params, (p, t, c) => p.sub(t).mul(c), this.targets, this.curvatures);
  }

  hvp(vector: Params): Params {
    return mapTree(vector, (v, c) => v.mul(c), this.curvatures);
  }

  /** The root mean square of the distance to the minimum. */
  distance(params: Params): number {
    const squares = mapTree(params, (p, t) => p.sub(t).square().sum(), this.targets);
    const all = flattenTree(squares).leaves.map((leaf) => (leaf as Tensor).item());
    const size = flattenTree(params).leaves.reduce((n, leaf) => n + (leaf as Tensor).size, 0);
    return Math.sqrt(all.reduce((a, b) => a + b) / size);
  }

  objective(): Objective<Params> {
    return {
      value: (p) => this.loss(p),
      valueAndGrad: (p) => [this.loss(p), this.grads(p), undefined],
      hvp: (_, vector) => this.hvp(vector),
      fisherVp: (_, vector) => this.hvp(vector),
    };
  }
}
