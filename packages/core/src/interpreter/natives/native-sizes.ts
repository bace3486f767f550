import { fail } from "../../errors.js";
import type { NativeKernel } from "../../ir/kernel.js";
import { formatShape } from "../../shape.js";

/** Throws `kernel-invalid` unless sizes are what a native documents. See `NativeName`. */
export function checkNativeSizes({ name, native, attrs }: NativeKernel, sizes: readonly number[]): void {
  switch (native) {
    case "scatterAdd": {
      const rank = sizes.length / 2;
      const axis = Number(attrs.axis);
      if (!Number.isInteger(rank) || !Number.isInteger(axis) || axis < 0 || axis >= rank) {
        fail(
          "kernel-invalid",
          `kernel "${name}": scatterAdd along axis ${axis} with sizes ${formatShape(sizes)}`,
        );
      }
      const [shape, indexShape] = [sizes.slice(0, rank), sizes.slice(rank)];
      const wrong = indexShape.findIndex((size, i) => i !== axis && size > (shape[i] as number));
      if (wrong >= 0) {
        fail(
          "kernel-invalid",
          `kernel "${name}": the index's shape ${formatShape(indexShape)} exceeds the base's ${formatShape(shape)} at axis ${wrong}`,
        );
      }
      return;
    }
    case "scatterRows":
      expectCount(4, "[outer, n, k, inner]");
      return;
    case "argsort":
      expectCount(2, "[rows, n]");
      return;
    case "cumulate":
      expectCount(3, "[outer, n, inner]");
      return;
    case "host":
      return;
    default:
      native satisfies never;
  }

  function expectCount(count: number, what: string): void {
    if (sizes.length === count) return;
    fail("kernel-invalid", `kernel "${name}": ${native} takes the sizes ${what}, got ${formatShape(sizes)}`);
  }
}
