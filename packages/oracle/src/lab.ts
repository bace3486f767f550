import type { DType, Tensor } from "@gradus/core";
import { tensor } from "@gradus/tensor";
import {
  elementsOf,
  type GoldenDType,
  type GoldenTensor,
  type Tolerance,
  UsageError,
  type ViewStep,
} from "./schema/values.js";
import { unsupported } from "./unsupported.js";

const dtypes: Readonly<Record<GoldenDType, DType>> = {
  float64: "f64",
  float32: "f32",
  int64: "i32",
  int8: "i32",
  bool: "bool",
};

/** Where cases of one file are run: makes tensors of golden ones, and says how exact results must be. */
export class Lab {
  constructor(
    /** Whether float64 is computed in float32. */
    readonly single: boolean,
    private readonly tolerances: Readonly<Record<string, Tolerance>>,
  ) {}

  private readonly made = new WeakMap<Tensor, ArrayLike<number>>();

  dtype(golden: GoldenDType): DType {
    return this.single && golden === "float64" ? "f32" : dtypes[golden];
  }

  /** The tensor on the device, through its view's steps where it has any. */
  tensor(golden: GoldenTensor): Tensor {
    if (golden.view !== undefined) return golden.view.steps.reduce(viewStep, this.tensor(golden.view.base));
    const elements = elementsOf(golden);
    if (golden.dtype === "int64" && elements.some((n) => Math.abs(n) > 2147483647)) {
      return unsupported("int64 values beyond 32 bits");
    }
    const made = tensor(Float64Array.from(elements), {
      shape: golden.shape,
      dtype: this.dtype(golden.dtype),
    });
    this.made.set(made, elements);
    return made;
  }

  /** What a tensor was made of, for ops that take numbers where PyTorch takes a tensor: not all devices can be read at once. */
  elementsOf(x: Tensor): ArrayLike<number> {
    return this.made.get(x) ?? unsupported("a computed tensor in place of numbers");
  }

  /** By how much a value of a dtype may differ, given the case's own tolerance. */
  tolerance(golden: GoldenDType, own: Tolerance | undefined): Tolerance {
    if (golden !== "float64" && golden !== "float32") return { rtol: 0, atol: 0 };
    const usual = this.tolerances[golden] ?? fallback[golden];
    if (!this.single || golden === "float32") return own ?? usual;
    const coarse = this.tolerances.float32 ?? fallback.float32;
    const { rtol, atol } = own ?? coarse;
    return { rtol: Math.max(rtol, coarse.rtol), atol: Math.max(atol, coarse.atol) };
  }
}

/** For files that name none. */
const fallback = { float64: { rtol: 1e-9, atol: 1e-12 }, float32: { rtol: 2e-5, atol: 1e-6 } } as const;

function viewStep(x: Tensor, [name, ...numbers]: ViewStep): Tensor {
  const given = numbers.map((n) => n ?? undefined);
  switch (name) {
    case "transpose":
      return x.transpose(given[0], given[1]);
    case "permute":
      return x.permute(given as number[]);
    case "expand":
      return x.expand(given as number[]);
    case "slice": {
      const [axis = 0, start, stop, step = 1] = given;
      return x.slice(...x.shape.map((_, k) => (k === axis ? ([start, stop, step] as const) : null)));
    }
    default:
      throw new UsageError(
        `a view has the unknown step ${JSON.stringify(name)}: expected transpose, permute, expand or slice`,
      );
  }
}
