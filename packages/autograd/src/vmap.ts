import {
  fail,
  flattenTree,
  formatPath,
  formatShape,
  isLeaf,
  isTensor,
  mapTree,
  type Tensor,
  tensorsOf,
} from "@gradus/core";

/**
 * Along which axis a tensor's examples lie: one axis for all tensors of a tree, `null` for what is the same for all
 * examples, or a tree of these, in the shape of the argument's upper part.
 */
export type MapAxes = number | null | readonly MapAxes[] | { readonly [name: string]: MapAxes };

export interface VmapOptions {
  /** The batch axis of the arguments: one {@link MapAxes} for all of them, or a list with one for each. Default 0. */
  readonly inAxes?: MapAxes;
  /** Where the batch axis goes in the result. Default 0; `null` for what is the same for all examples. */
  readonly outAxes?: MapAxes;
}

/**
 * `f`, written for one example, as a function of many: it runs once, on stand-ins for one example, and each operation
 * computes all examples in one kernel. JAX's and PyTorch's `vmap`.
 *
 * It composes with all other transforms in any order: `vmap(grad(loss))` is the gradient of each example,
 * `grad` of a `vmap` the gradient of them all, `vmap(vmap(f))` maps over two axes. Random numbers come from keys: map over a
 * batch of them (`stackTrees(key.split(n))`) for numbers of each example's own; a key that is not mapped over gives all examples the same.
 *
 * A tensor within has the shape of one example, and no value that could be printed or branched upon. An operation that
 * was added by others works too; only a native without a `batch` rule runs once for each example.
 *
 * @throws `invalid-argument` if nothing is mapped over, or for axes that do not fit the arguments; `shape-mismatch` if the
 * arguments have different numbers of examples; `value-in-trace` for `item()`, `data()` and the like inside.
 *
 * @example
 * ```ts
 * import { grad, vmap } from "@gradus/autograd";
 * import { type Tensor, tensor } from "@gradus/tensor";
 * const loss = (w: Tensor, x: Tensor) => w.mul(x).sum().square();
 * const perExample = vmap(grad(loss), { inAxes: [null, 0] });
 * console.log(perExample(tensor([1, 2]), tensor([[1, 0], [0, 1]])).toArray()); // → [ [ 2, 0 ], [ 0, 4 ] ]
 * ```
 */
export function vmap<Args extends readonly unknown[], R>(
  f: (...args: Args) => R,
  options: VmapOptions = {},
): (...args: Args) => R {
  const { inAxes = 0, outAxes = 0 } = options;
  return (...args) => {
    const { leaves, paths, rebuild } = flattenTree(args);
    const axes = axesOf("inAxes", inAxes, args, false);
    const inputs: Tensor[] = [];
    let size: number | undefined;
    let next = 0;
    const mapped = leaves.map((leaf, i) => {
      if (!isTensor(leaf)) return undefined;
      const axis = axes[next++] as number | null;
      if (axis === null) return undefined;
      const where = `argument ${formatPath(paths[i] ?? [])}`;
      const at = axisWithin(`inAxes: ${where} of shape ${formatShape(leaf.shape)}`, axis, leaf.ndim);
      const own = leaf.shape[at] as number;
      if (size !== undefined && own !== size) {
        fail(
          "shape-mismatch",
          `vmap: ${where} has ${own} examples along axis ${at}, those before it have ${size}: all must have as many. Use null for what is the same for all examples`,
        );
      }
      size = own;
      return inputs.push(leaf) - 1;
    });
    const [first] = inputs;
    if (first === undefined || size === undefined) {
      return fail(
        "invalid-argument",
        "vmap: there is nothing to map over: no tensor among the arguments has a batch axis. Name one in inAxes",
      );
    }
    const examples = size;
    const used = axes.filter((axis) => axis !== null);
    return first.engine.scope(() => {
      let result: R | undefined;
      const outputs = first.engine.batched(
        examples,
        inputs.map((x, k) => moveAxis(x, axisWithin("inAxes", used[k] as number, x.ndim), 0)),
        (stands) => {
          result = f(...rebuild(leaves.map((leaf, i) => stands[mapped[i] as number] ?? leaf)));
          checkSynchronous(result);
          return tensorsOf(result);
        },
      );
      const places = axesOf("outAxes", outAxes, result, true);
      let k = 0;
      return mapTree(result as R, () => {
        const { value, isBatched } = outputs[k] as (typeof outputs)[number];
        const axis = places[k++] as number | null;
        if (axis === null) {
          if (!isBatched) return value;
          return fail(
            "invalid-argument",
            "vmap: outAxes is null for a result that differs between the examples. Give it an axis, or reduce it over the batch outside",
          );
        }
        const all = isBatched ? value : value.expand([examples, ...value.shape]);
        return first.engine.settled(
          moveAxis(
            all,
            0,
            axisWithin(`outAxes: a result of shape ${formatShape(all.shape)}`, axis, all.ndim),
          ),
        );
      });
    });
  };
}

/** The axis of each tensor of a tree, from axes for its upper part. */
function axesOf(name: string, axes: MapAxes, tree: unknown, single: boolean): (number | null)[] {
  const found: (number | null)[] = [];
  const visit = (given: MapAxes | undefined, node: unknown, path: string): void => {
    if (given === null || typeof given === "number") {
      if (given !== null && !Number.isInteger(given))
        fail("invalid-argument", `vmap: ${name}: an axis is a whole number or null, got ${given}`);
      for (const _ of tensorsOf(node)) found.push(given);
      return;
    }
    const fits = typeof given === "object" && typeof node === "object" && node !== null && !isLeaf(node);
    const keys = fits ? Object.keys(node) : [];
    if (!fits || keys.length !== Object.keys(given).length || keys.some((key) => !(key in given))) {
      fail(
        "tree-mismatch",
        `vmap: ${name}${path}: expected an axis, null, or these in the structure of the ${single ? "result" : "arguments"}, got ${JSON.stringify(given)}`,
      );
    }
    for (const key of keys) {
      visit(
        (given as Record<string, MapAxes>)[key],
        (node as Record<string, unknown>)[key],
        `${path}.${key}`,
      );
    }
  };
  visit(axes, tree, "");
  return found;
}

function axisWithin(what: string, axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) {
    fail("axis-out-of-range", `vmap: ${what} has no axis ${axis}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** `x` with axis `from` at `to`. */
function moveAxis(x: Tensor, from: number, to: number): Tensor {
  if (from === to) return x;
  const axes = x.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  axes.splice(to, 0, from);
  return x.permute(axes);
}

function checkSynchronous(result: unknown): void {
  if (typeof (result as { then?: unknown } | undefined)?.then === "function") {
    fail(
      "async-scope",
      "vmap: the function returned a Promise: map the synchronous part, and await outside of it",
    );
  }
}
