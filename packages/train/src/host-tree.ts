import {
  type Backend,
  fail,
  flattenTree,
  formatShape,
  isScalar,
  isTensor,
  type Leaf,
  mapLeaves,
  type Path,
  type Scalar,
  sameShape,
  scalar,
  type Tensor,
  tensorsOf,
} from "@gradus/core";
import { tensor } from "@gradus/tensor";
import type { HostTensor } from "./safetensors.js";

/** A tree's leaves in the memory of the host, by name. */
export interface HostTree {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly scalars: ReadonlyMap<string, number>;
}

/** A path as the name of a tensor in a file: `params.0.weight`. Dots within keys are escaped, so names differ as paths do. */
export function nameOf(path: Path): string {
  return path.map((key) => key.replace(/[\\.]/g, "\\$&")).join(".");
}

/**
 * The leaves of a tree. All reads begin before this returns, so the tree may be donated or disposed right afterwards.
 */
export function readTree(root: string, tree: unknown): Promise<HostTree> {
  const { leaves, paths } = flattenTree(tree);
  const named = leaves.map((leaf, i) => [nameOf([root, ...(paths[i] as Path)]), leaf] as const);
  const tensors = named.filter((entry): entry is [string, Tensor] => isTensor(entry[1]));
  const scalars = named.filter((entry): entry is [string, Scalar] => isScalar(entry[1]));
  const reads = tensors.map(async ([name, x]): Promise<[string, HostTensor]> => {
    const { dtype, shape } = x;
    return [name, { dtype, shape, data: await x.read() }];
  });
  const numbers = new Map(scalars.map(([name, { value }]) => [name, value]));
  return Promise.all(reads).then((entries) => ({ tensors: new Map(entries), scalars: numbers }));
}

/**
 * A tree like `template`, with the leaves of `saved` as new tensors on `device`: nothing else shares their memory.
 *
 * @throws `tree-mismatch`, naming the path, unless `saved` has exactly the template's leaves, dtypes and shapes.
 */
export function buildTree<T>(what: string, root: string, template: T, saved: HostTree, device: Backend): T {
  const known = new Set<string>();
  const built = mapLeaves(template, (leaf, path): Leaf => {
    const name = nameOf([root, ...path]);
    known.add(name);
    return isScalar(leaf) ? savedScalar(what, name, saved) : savedTensor(what, name, saved, leaf, device);
  });
  for (const name of [...saved.tensors.keys(), ...saved.scalars.keys()]) {
    if (!known.has(name)) fail("tree-mismatch", `${what}: there is ${name}, which has no place here`);
  }
  return built;
}

function savedScalar(what: string, name: string, saved: HostTree): Scalar {
  return scalar(saved.scalars.get(name) ?? fail("tree-mismatch", `${what}: there is no number ${name}`));
}

function savedTensor(what: string, name: string, saved: HostTree, like: Tensor, device: Backend): Tensor {
  const found = saved.tensors.get(name) ?? fail("tree-mismatch", `${what}: there is no tensor ${name}`);
  const { dtype, shape, data } = found;
  if (dtype !== like.dtype || !sameShape(shape, like.shape)) {
    const expected = `${like.dtype}${formatShape(like.shape)}`;
    fail("tree-mismatch", `${what}: ${name} is ${dtype}${formatShape(shape)}, expected ${expected}`);
  }
  return tensor(data, { dtype, shape, device });
}

/** A copy of a tree that shares no memory with it or with anything else. */
export async function copyTree<T>(tree: T, device: Backend): Promise<T> {
  return buildTree("copy", "", tree, await readTree("", tree), device);
}

export function disposeTree(tree: unknown): void {
  for (const x of tensorsOf(tree)) x.dispose();
}
