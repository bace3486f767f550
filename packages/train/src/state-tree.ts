import {
  type Backend,
  fail,
  flattenTree,
  isScalar,
  isTensor,
  type Path,
  type Scalar,
  scalar,
  type Tensor,
} from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { nameOf } from "./host-tree.js";
import { decodeNumber, encodeNumber } from "./json-numbers.js";
import type { HostTensor } from "./safetensors.js";

/**
 * A plain tree in two parts: its tensors by name, and JSON that has all else, numbers of the host exactly, and the names
 * where tensors belong.
 */
export interface StateTree {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly json: string;
}

/** All reads begin before this returns, so the tree may be donated or disposed right afterwards. */
export async function readStateTree(tree: unknown): Promise<StateTree> {
  const tensors: [string, Tensor][] = [];
  const visit = (node: unknown, path: Path): unknown => {
    if (isScalar(node)) return { $scalar: (node as Scalar).value };
    if (isTensor(node)) {
      const name = nameOf(path);
      tensors.push([name, node]);
      return { $tensor: name };
    }
    if (Array.isArray(node)) return node.map((child, i) => visit(child, [...path, String(i)]));
    if (typeof node !== "object" || node === null) return node;
    const entries = Object.entries(node).filter(([, child]) => child !== undefined);
    return Object.fromEntries(entries.map(([key, child]) => [key, visit(child, [...path, key])]));
  };
  // Visits everything, and says so if something is no tree.
  flattenTree(tree);
  const json = JSON.stringify(visit(tree, []), encodeNumber);
  const reads = tensors.map(async ([name, x]): Promise<[string, HostTensor]> => {
    const { dtype, shape } = x;
    return [name, { dtype, shape, data: await x.read() }];
  });
  return { json, tensors: new Map(await Promise.all(reads)) };
}

/**
 * The tree again, with new tensors on `device`.
 *
 * @throws `corrupt-file` if the JSON is none, or names tensors that are not there.
 */
export function buildStateTree({ json, tensors }: StateTree, device: Backend): unknown {
  const left = new Set(tensors.keys());
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (typeof node !== "object" || node === null) return node;
    if ("$scalar" in node) {
      if (typeof node.$scalar === "number") return scalar(node.$scalar);
      return fail("corrupt-file", "the record of the state has a scalar that is no number");
    }
    if ("$tensor" in node) return take(String(node.$tensor));
    return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, visit(child)]));
  };
  const take = (name: string): Tensor => {
    const found = tensors.get(name) ?? fail("corrupt-file", `there is no tensor ${name}`);
    left.delete(name);
    return tensor(found.data, { dtype: found.dtype, shape: found.shape, device });
  };
  const tree = visit(parse(json));
  const [extra] = left;
  if (extra !== undefined)
    fail("corrupt-file", `there is the tensor ${extra}, which has no place in the state`);
  return tree;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json, decodeNumber);
  } catch {
    return fail("corrupt-file", "the record of the state is not JSON");
  }
}
