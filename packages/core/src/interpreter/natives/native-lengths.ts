import type { NativeKernel } from "../../ir/kernel.js";
import { checkNativeSizes } from "./native-sizes.js";

/**
 * How many elements each buffer of a native must hold at given sizes: the inputs', then the outputs'. Undefined for `host`,
 * whose function knows. For devices that run natives later, and must refuse buffers at the call.
 *
 * @throws `kernel-invalid` if the sizes are not what the native takes
 */
export function nativeLengths(kernel: NativeKernel, sizes: readonly number[]): number[] | undefined {
  checkNativeSizes(kernel, sizes);
  const { native, attrs } = kernel;
  const count = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
  switch (native) {
    case "scatterAdd": {
      const [whole, index] = [sizes.slice(0, sizes.length / 2), sizes.slice(sizes.length / 2)].map(count);
      return [whole, index, index, whole] as number[];
    }
    case "scatterRows": {
      const [outer, n, k, inner] = sizes as [number, number, number, number];
      const source = outer * k * inner;
      return [outer * n * inner, attrs.full === true ? source : k, source, outer * n * inner];
    }
    case "argsort":
    case "cumulate":
      return [count(sizes), count(sizes)];
    case "host":
      return undefined;
    default:
      return native satisfies never;
  }
}
