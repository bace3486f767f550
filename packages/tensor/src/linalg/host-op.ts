import {
  type Aval,
  fail,
  formatShape,
  type HostFunction,
  isFloat,
  type Op,
  sizeOf,
  type Tensor,
} from "@gradus/core";
import { everyBatched } from "../batching/every-batched.js";
import { asGradusTensor } from "../gradus-tensor.js";
import { dataOf } from "../host.js";

/** What a decomposition of matrices in the last two axes gives, all axes before them being batches. */
interface HostOp<A> {
  readonly name: string;
  /** Shapes of the results, given those of the inputs. */
  shapes(inputs: readonly Aval[], attrs: A): readonly (readonly number[])[];
  /** The launch's sizes, without the batch. */
  sizes(inputs: readonly Aval[], attrs: A): readonly number[];
  host(attrs: A): HostFunction;
  /** Names the function among those of this operation. */
  variant?(attrs: A): string;
  readonly vjp: NonNullable<Op<A>["vjp"]>;
}

/** An operation on batches of matrices that a `host` native computes. */
export function hostOp<A>({ name, shapes, sizes, host, variant, vjp }: HostOp<A>): Op<A> {
  return {
    name,
    batch: (context) => ({ inputs: everyBatched(context), attrs: context.attrs }),
    infer: (inputs, attrs) =>
      shapes(inputs, attrs).map((shape) => ({ shape, dtype: (inputs[0] as Aval).dtype })),
    lower(inputs, attrs, outputs) {
      const { dtype, shape } = inputs[0] as Aval;
      return {
        kind: "native",
        key: `${name} ${dtype} ${variant?.(attrs) ?? ""}`,
        kernel: () => ({
          kind: "native",
          native: "host",
          name,
          inputs: inputs.map(() => dtype),
          outputs: outputs.map(() => dtype),
          params: [],
          attrs: {},
          host: host(attrs),
        }),
        sizes: [sizeOf(shape.slice(0, -2)), ...sizes(inputs, attrs)],
      };
    },
    vjp,
  };
}

/** `x` as floats. Throws unless its last two axes are matrices, square ones where that is needed. */
export function matrices(name: string, x: Tensor, kind: "square" | "any" = "square"): Tensor {
  asGradusTensor(name, x);
  const [rows, columns] = x.shape.slice(-2);
  if (x.ndim < 2 || (kind === "square" && rows !== columns)) {
    fail(
      "shape-mismatch",
      `${name}: expected ${kind === "square" ? "square " : ""}matrices in the last two axes, got ${formatShape(x.shape)}`,
    );
  }
  return isFloat(x.dtype) ? x : x.cast("f32");
}

/**
 * What a native found wrong with its matrices is thrown here and now, where results can be looked at without waiting; elsewhere
 * at the next read.
 */
export function checked(name: string, x: Tensor): Tensor {
  if (x.traced || x.device.readSync === undefined || x.size === 0) return x;
  dataOf(asGradusTensor(name, x.reshape([x.size]).slice([0, 1])), name);
  return x;
}
