import { fail, flattenTree, formatPath, isTensor, mapTree, type Tensor } from "@gradus/core";
import { vjp } from "./vjp.js";

export interface GradcheckOptions {
  /** Half the distance of the central difference. Default 1e-6. */
  readonly epsilon?: number;
  /** Default 1e-5. */
  readonly atol?: number;
  /** Default 1e-3. */
  readonly rtol?: number;
}

export interface GradcheckReport {
  /** How many derivatives were compared. */
  readonly compared: number;
  /** The greatest difference between an analytic and a numeric derivative. */
  readonly maxError: number;
}

/**
 * Compares the gradient of `f` with central differences, each output element by each input element, in float64.
 * Defaults are PyTorch's.
 *
 * @param inputs a tree of f64 tensors
 * @throws `gradient-mismatch`, with the input, the elements and both numbers, unless
 * `|analytic - numeric| <= atol + rtol * |numeric|` everywhere; `dtype-mismatch` for other dtypes than f64.
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
  f: (inputs: P) => Tensor,
  inputs: P,
  options: GradcheckOptions = {},
): GradcheckReport {
  const { epsilon = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  const { leaves, paths } = flattenTree(inputs);
  const tensors = leaves.filter(isTensor);
  leaves.forEach((leaf, i) => {
    if (isTensor(leaf) && leaf.dtype !== "f64") {
      fail(
        "dtype-mismatch",
        `gradcheck: ${formatPath(paths[i] ?? [])} is ${leaf.dtype}: differences need f64. Convert it: x.cast("f64")`,
      );
    }
  });
  const [value, pull] = vjp(f, inputs);
  const rows: Tensor[][] = [];
  for (let j = 0; j < value.size; j++) {
    const unit = new Float64Array(value.size);
    unit[j] = 1;
    const cotangent = value.engine.tensor(unit, { shape: value.shape, dtype: "f64", device: value.device });
    rows.push(flattenTree(pull(cotangent)).leaves.filter(isTensor));
  }
  let compared = 0;
  let maxError = 0;
  tensors.forEach((x, k) => {
    const analytic = rows.map((row) => (row[k] as Tensor).data());
    for (let i = 0; i < x.size; i++) {
      const above = f(nudge(inputs, k, i, epsilon)).data();
      const below = f(nudge(inputs, k, i, -epsilon)).data();
      for (let j = 0; j < value.size; j++) {
        const numeric = ((above[j] as number) - (below[j] as number)) / (2 * epsilon);
        const exact = analytic[j]?.[i] as number;
        const error = Math.abs(exact - numeric);
        compared++;
        if (error <= atol + rtol * Math.abs(numeric)) {
          maxError = Math.max(maxError, error);
          continue;
        }
        fail(
          "gradient-mismatch",
          `gradcheck: d output[${j}] / d ${formatPath(paths[leaves.indexOf(x)] ?? [])}[${i}]: analytic ${exact}, numeric ${numeric} (difference ${error})`,
        );
      }
    }
  });
  return { compared, maxError };
}

/** The inputs with element `i` of tensor `k` moved by `distance`. */
function nudge<P>(inputs: P, k: number, i: number, distance: number): P {
  let next = 0;
  return mapTree(inputs, (x) => {
    if (next++ !== k) return x;
    const values = Float64Array.from(x.data());
    values[i] = (values[i] as number) + distance;
    return x.engine.tensor(values, { shape: x.shape, dtype: "f64", device: x.device });
  });
}
