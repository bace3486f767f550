import { fail } from "./errors.js";
import { isScalar, type Scalar } from "./scalar.js";
import { isTensor, type Tensor } from "./tensor.js";

/**
 * Trees: nested arrays and plain objects whose leaves are tensors and scalars, with anything else (numbers, strings,
 * null, typed arrays) as constants of the structure. A model's parameters, an optimizer's state and a batch are trees; functions over
 * them give back the type that they were given.
 */

/** A leaf that functions over trees visit. */
export type Leaf = Tensor | Scalar;

/** Where a leaf is, such as `["0", "weight"]`. */
export type Path = readonly string[];

/**
 * How an object of a class of its own is walked: give its children, and make the same object with others. `Key` is one.
 */
export const TREE = Symbol.for("gradus.tree");
export interface TreeNode {
  readonly [TREE]: { readonly children: readonly unknown[]; rebuild(children: readonly unknown[]): unknown };
}

export function isLeaf(x: unknown): x is Leaf {
  return isTensor(x) || isScalar(x);
}

/** A path as messages print it: `layers.0.weight`, or `(root)`. */
export function formatPath(path: Path): string {
  return path.length === 0 ? "(root)" : path.join(".");
}

/**
 * The tree with every tensor replaced by `f` of it; scalars and constants stay. Further trees must have the same
 * structure; their leaves are passed along.
 *
 * @throws `tree-mismatch`, naming the path, if a further tree differs.
 *
 * @example
 * ```ts
 * import { mapTree } from "@gradus/core";
 * import { tensor } from "@gradus/tensor";
 * const params = { weight: tensor([1, 2]), layers: [{ bias: tensor(3) }] };
 * const doubled = mapTree(params, (p) => p.mul(2));
 * console.log(doubled.layers[0]?.bias); // → Tensor f32[] 6
 * ```
 */
export function mapTree<T>(
  tree: T,
  f: (leaf: Tensor, ...others: Tensor[]) => Tensor,
  ...others: readonly T[]
): T {
  return mapTreeWithPath(tree, (_, leaf, ...rest) => f(leaf, ...rest), ...others);
}

/** {@link mapTree} that also passes each leaf's path. */
export function mapTreeWithPath<T>(
  tree: T,
  f: (path: Path, leaf: Tensor, ...others: Tensor[]) => Tensor,
  ...others: readonly T[]
): T {
  const tensors = others.map((other) => tensorsInOrderOf(tree, other));
  let next = 0;
  return mapLeaves(tree, (leaf, path) => {
    if (!isTensor(leaf)) return leaf;
    const i = next++;
    return f(path, leaf, ...tensors.map((list) => list[i] as Tensor));
  });
}

/** The tensors of `other`, in the order in which `tree` has its own: objects may be written in another order. */
function tensorsInOrderOf(tree: unknown, other: unknown): Tensor[] {
  const [own, theirs] = [flattenTree(tree), flattenTree(other)];
  if (own.structure === theirs.structure) return theirs.leaves.filter(isTensor);
  checkSameStructure(tree, other);
  const byPath = new Map(theirs.paths.map((path, i) => [JSON.stringify(path), theirs.leaves[i] as Leaf]));
  return own.paths.map((path) => byPath.get(JSON.stringify(path)) as Leaf).filter(isTensor);
}

/** The tree with every leaf, tensor or scalar, replaced by `f` of it. */
export function mapLeaves<T>(tree: T, f: (leaf: Leaf, path: Path) => Leaf): T {
  const visit = (node: unknown, path: Path): unknown => {
    if (isLeaf(node)) return f(node, path);
    const parts = partsOf(node, path);
    if (parts === undefined) return node;
    return parts.rebuild(parts.children.map((child, i) => visit(child, [...path, parts.keys[i] as string])));
  };
  return visit(tree, []) as T;
}

/** A tree taken apart: its leaves in order, where each is, and what is left when they are taken out. */
export interface FlatTree<T> {
  readonly leaves: readonly Leaf[];
  readonly paths: readonly Path[];
  /** Equal for trees of equal structure and order: keys, lengths, constants and the kinds of leaves. */
  readonly structure: string;
  /** The tree with other leaves in the same places. */
  rebuild(leaves: readonly Leaf[]): T;
}

export function flattenTree<T>(tree: T): FlatTree<T> {
  const leaves: Leaf[] = [];
  const paths: Path[] = [];
  const structure: string[] = [];
  const visit = (node: unknown, path: Path): void => {
    if (isLeaf(node)) {
      leaves.push(node);
      paths.push(path);
      structure.push(isTensor(node) ? "*" : "#");
      return;
    }
    const parts = partsOf(node, path);
    if (parts === undefined) {
      structure.push(constantKey(node));
      return;
    }
    structure.push(parts.open);
    parts.children.forEach((child, i) => {
      structure.push(JSON.stringify(parts.keys[i]), ":");
      visit(child, [...path, parts.keys[i] as string]);
      structure.push(",");
    });
    structure.push(")");
  };
  visit(tree, []);
  return {
    leaves,
    paths,
    structure: structure.join(""),
    rebuild: (replacements) => {
      let next = 0;
      return mapLeaves(tree, () => replacements[next++] as Leaf);
    },
  };
}

/** The tensors of a tree, in order. */
export function tensorsOf(tree: unknown): Tensor[] {
  return flattenTree(tree).leaves.filter(isTensor);
}

/**
 * Throws `tree-mismatch`, naming the first path that differs, unless the trees have the same structure. The order in which
 * an object's keys were written does not count.
 */
export function checkSameStructure(expected: unknown, actual: unknown, what = "tree"): void {
  const a = flattenTree(expected);
  const b = flattenTree(actual);
  if (
    a.structure === b.structure ||
    flattenTree(sorted(expected)).structure === flattenTree(sorted(actual)).structure
  ) {
    return;
  }
  const names = new Set(b.paths.map(formatPath));
  const missing = a.paths.map(formatPath).find((name) => !names.has(name));
  const known = new Set(a.paths.map(formatPath));
  const extra = b.paths.map(formatPath).find((name) => !known.has(name));
  const detail =
    missing !== undefined
      ? `there is no leaf at ${missing}`
      : extra !== undefined
        ? `unexpected leaf at ${extra}`
        : "constants or kinds of leaves differ";
  fail("tree-mismatch", `${what}: the structure differs from the one expected: ${detail}`);
}

/** The tree with the keys of its plain objects in alphabetical order. */
function sorted(node: unknown): unknown {
  if (isLeaf(node) || typeof node !== "object" || node === null || TREE in node) return node;
  if (Array.isArray(node)) return node.map(sorted);
  const entries = Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]));
}

interface Parts {
  readonly open: string;
  readonly keys: readonly string[];
  readonly children: readonly unknown[];
  rebuild(children: readonly unknown[]): unknown;
}

/** The children of an inner node; undefined for a constant. */
function partsOf(node: unknown, path: Path): Parts | undefined {
  if (typeof node !== "object" || node === null || ArrayBuffer.isView(node)) return undefined;
  if (Array.isArray(node)) {
    return {
      open: "array(",
      keys: node.map((_, i) => String(i)),
      children: node,
      rebuild: (children) => children,
    };
  }
  if (TREE in node) {
    const { children, rebuild } = (node as TreeNode)[TREE];
    const keys = children.map((_, i) => String(i));
    return { open: `${node.constructor.name}(`, keys, children, rebuild };
  }
  const prototype = Object.getPrototypeOf(node);
  if (prototype !== Object.prototype && prototype !== null) {
    fail(
      "tree-mismatch",
      `tree: ${formatPath(path)} is an object of class ${prototype?.constructor?.name}: trees are made of arrays, plain objects, tensors and scalars`,
    );
  }
  const keys = Object.keys(node);
  return {
    open: "object(",
    keys,
    children: Object.values(node),
    rebuild: (children) => Object.fromEntries(keys.map((key, i) => [key, children[i]])),
  };
}

function constantKey(value: unknown): string {
  if (typeof value === "number") return `n${Object.is(value, -0) ? "-0" : value}`;
  if (typeof value === "function") return "function";
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value})`;
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
}
