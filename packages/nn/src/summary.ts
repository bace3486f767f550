import { flattenTree, formatPath, formatShape, isTensor, type Layer, type Path } from "@gradus/core";
import { countParameters } from "./count-parameters.js";

/**
 * A model as text: its name, then a line for each parameter with its path, dtype, shape and size, then their
 * number.
 *
 * @example
 * ```ts
 * import { linear, relu, sequential, summary } from "@gradus/nn";
 * import { key } from "@gradus/tensor";
 * const model = sequential(linear(64, 32), relu());
 * console.log(summary(model, model.init(key(0)).params));
 * // → sequential(linear(64, 32), relu())
 * // → 0.weight  f32[32, 64]  2048
 * // → 0.bias    f32[32]        32
 * // → 2080 parameters
 * ```
 */
export function summary<P>(model: Layer<P>, params: P): string {
  const { leaves, paths } = flattenTree(params);
  const rows = leaves.flatMap((leaf, i) =>
    isTensor(leaf)
      ? [
          [
            formatPath(paths[i] as Path),
            `${leaf.dtype}${formatShape(leaf.shape)}`,
            String(leaf.size),
          ] as const,
        ]
      : [],
  );
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] as string).length)));
  const [pathWidth = 0, shapeWidth = 0, sizeWidth = 0] = widths;
  return [
    model.name,
    ...rows.map(
      ([path, shape, size]) =>
        `${path.padEnd(pathWidth)}  ${shape.padEnd(shapeWidth)}  ${size.padStart(sizeWidth)}`,
    ),
    `${countParameters(params)} parameters`,
  ].join("\n");
}
