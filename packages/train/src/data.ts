import { type Backend, fail, formatShape, isTensor, type Key, type Tensor } from "@gradus/core";
import { compile, scope } from "@gradus/tensor";

/** Inputs and targets: row i of `x` belongs to row i of `y`. */
export interface Data {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** @throws `invalid-argument`, `shape-mismatch` or `device-mismatch` unless `data` are rows to be trained or evaluated with. */
export function checkData(what: string, data: Data, device?: Backend): void {
  for (const name of ["x", "y"] as const) {
    const value = data?.[name];
    if (!isTensor(value))
      fail("invalid-argument", `${what} must be { x, y } of tensors, and ${name} is none`);
    if (value.ndim === 0)
      fail("shape-mismatch", `${what}.${name} has no axes: its first one must be the rows`);
    if (device !== undefined && value.device !== device) {
      const devices = `on ${value.device.name}, not on the training data's ${device.name}`;
      fail("device-mismatch", `${what}.${name} is ${devices}. Move it: await ${name}.to(device)`);
    }
  }
  const { x, y } = data;
  if (x.shape[0] !== y.shape[0]) {
    const shapes = `x ${formatShape(x.shape)} and y ${formatShape(y.shape)}`;
    fail("shape-mismatch", `${what}: ${shapes} must have as many rows (${x.shape[0]} and ${y.shape[0]})`);
  }
  if (x.shape[0] === 0) fail("invalid-argument", `${what} is empty: x is ${formatShape(x.shape)}`);
}

/** What one row of a tensor is, for messages and comparison: `f32[64]`. */
export function rowType(x: Tensor): string {
  return `${x.dtype}${formatShape(x.shape.slice(1))}`;
}

/** The same data in memory without gaps, so that no step has to copy a view of something larger. */
export function dense(data: Data): Data {
  return compile((x: Tensor, y: Tensor): Data => ({ x, y }))(data.x, data.y);
}

/** The order in which an epoch visits `count` rows. Nothing but the key and the epoch decides it. */
export function epochOrder(key: Key, epoch: number, count: number): Tensor {
  return scope(() => key.foldIn(epoch).permutation(count));
}

/** The rows of `x` that `rows` (i32, one axis) names. */
export function takeRows(x: Tensor, rows: Tensor): Tensor {
  const shape = [rows.size, ...x.shape.slice(1)];
  const index = rows.reshape([rows.size, ...x.shape.slice(1).map(() => 1)]);
  return x.gather(0, index.expand(shape));
}

/** The bounds of batches of at most `size` of `count` rows. */
export function* batches(count: number, size: number): Generator<readonly [begin: number, end: number]> {
  for (let begin = 0; begin < count; begin += size) yield [begin, Math.min(begin + size, count)];
}
