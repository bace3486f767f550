import { type Backend, type DType, type Engine, mapTree, type Tensor, tensorsOf } from "@gradus/core";
import { checkParams } from "../check-trees.js";

/**
 * A parameter tree as one vector: the elements of its tensors, one after another. Methods with histories, inner products
 * and line searches compute with such vectors; the objective sees trees.
 */
export class FlatLayout<P> {
  readonly size: number;
  /** f64 if any of the parameters is. */
  readonly dtype: DType;
  readonly engine: Engine;
  readonly device: Backend;
  private readonly leaves: readonly Tensor[];

  /**
   * @param method named in messages
   * @throws `invalid-argument` for a tree without tensors, `dtype-mismatch` for integers.
   */
  constructor(
    method: string,
    readonly params: P,
  ) {
    checkParams(method, params);
    this.leaves = tensorsOf(params);
    const [first] = this.leaves as [Tensor, ...Tensor[]];
    this.size = this.leaves.reduce((sum, leaf) => sum + leaf.size, 0);
    this.dtype = this.leaves.some((leaf) => leaf.dtype === "f64") ? "f64" : "f32";
    this.engine = first.engine;
    this.device = first.device;
  }

  /** The distance from 1 to the next number of the dtype. */
  get epsilon(): number {
    return this.dtype === "f64" ? 2 ** -52 : 2 ** -23;
  }

  /** The vector of a tree like the parameters. */
  flatten(tree: P): Tensor {
    const parts = tensorsOf(mapTree(this.params, (_, leaf) => leaf as Tensor, tree)).map((leaf) =>
      (leaf.dtype === this.dtype ? leaf : leaf.cast(this.dtype)).reshape([leaf.size]),
    );
    return parts.length === 1 ? (parts[0] as Tensor) : this.engine.concat(parts);
  }

  /** The matrix of a tree like the parameters whose leaves have a leading axis: a row for each of its elements. */
  flattenRows(tree: P): Tensor {
    const parts = tensorsOf(mapTree(this.params, (_, leaf) => leaf as Tensor, tree)).map((leaf) =>
      (leaf.dtype === this.dtype ? leaf : leaf.cast(this.dtype)).reshape([leaf.shape[0] as number, -1]),
    );
    return parts.length === 1 ? (parts[0] as Tensor) : this.engine.concat(parts, 1);
  }

  /** The tree of a vector: views where the dtype allows. */
  unflatten(vector: Tensor): P {
    let start = 0;
    return mapTree(this.params, (leaf) => {
      const part = this.leaves.length === 1 ? vector : vector.slice([start, start + leaf.size]);
      start += leaf.size;
      const shaped = part.reshape(leaf.shape);
      return leaf.dtype === this.dtype ? shaped : shaped.cast(leaf.dtype);
    });
  }

  /** The tree of a vector, with memory of its own for each leaf, so that each can be disposed or donated alone. */
  unflattenCopy(vector: Tensor): P {
    return mapTree(this.unflatten(vector), (leaf) => leaf.mul(1));
  }

  /** A vector from numbers of the host, rounded to the dtype. */
  vector(values: ArrayLike<number>): Tensor {
    return this.engine.tensor(Float64Array.from(values), { dtype: this.dtype, device: this.device });
  }

  /**
   * A square matrix with a row for each parameter, from numbers of the host; zeros without them. f64 where the device has
   * it, whatever the parameters are.
   */
  matrix(values?: Float64Array): Tensor {
    const { device, size } = this;
    const dtype = device.caps.dtypes.includes("f64") ? "f64" : "f32";
    const shape = [size, size];
    return values === undefined
      ? this.engine.full(shape, 0, { dtype, device })
      : this.engine.tensor(values, { dtype, device, shape });
  }

  /** A vector of zeros. */
  zeros(): Tensor {
    return this.engine.full([this.size], 0, { dtype: this.dtype, device: this.device });
  }
}
