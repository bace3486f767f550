import { isLeaf, isScalar, type Leaf, type Scalar, TREE, type TreeNode } from "@gradus/core";
import { GradusTensor } from "../gradus-tensor.js";

/** The leaves of a tree that was matched, in order; used again for each tree. */
export class Leaves {
  readonly tensors: (GradusTensor | undefined)[] = [];
  readonly scalars: (Scalar | undefined)[] = [];
  private tensorCount = 0;
  private scalarCount = 0;

  addTensor(x: GradusTensor): void {
    this.tensors[this.tensorCount++] = x;
  }

  addScalar(x: Scalar): void {
    this.scalars[this.scalarCount++] = x;
  }

  /** Starts again, and holds nothing. */
  clear(): void {
    this.tensors.fill(undefined);
    this.scalars.fill(undefined);
    this.tensorCount = 0;
    this.scalarCount = 0;
  }
}

/**
 * The structure of a tree, to recognise others of the same structure and to make them, again and again and without
 * making anything else on the way. It says the same as `flattenTree`, which also knows where everything is.
 */
export type TreeTemplate =
  | { readonly kind: "tensor" }
  | { readonly kind: "scalar" }
  | { readonly kind: "constant"; readonly value: unknown }
  | { readonly kind: "array"; readonly items: readonly TreeTemplate[] }
  | { readonly kind: "object"; readonly keys: readonly string[]; readonly items: readonly TreeTemplate[] }
  /** An object of a class of its own; `node` is one of them. */
  | { readonly kind: "node"; readonly node: TreeNode; readonly items: readonly TreeTemplate[] };

export function templateOf(tree: unknown): TreeTemplate {
  if (isLeaf(tree)) return { kind: isScalar(tree) ? "scalar" : "tensor" };
  if (typeof tree !== "object" || tree === null || ArrayBuffer.isView(tree))
    return { kind: "constant", value: tree };
  if (Array.isArray(tree)) return { kind: "array", items: tree.map(templateOf) };
  if (TREE in tree) {
    const node = tree as TreeNode;
    return { kind: "node", node, items: node[TREE].children.map(templateOf) };
  }
  return { kind: "object", keys: Object.keys(tree), items: Object.values(tree).map(templateOf) };
}

/** Whether `tree` has the structure; its leaves go to `leaves`. A `false` may also mean that it takes a closer look. */
export function matchTree(template: TreeTemplate, tree: unknown, leaves: Leaves): boolean {
  switch (template.kind) {
    case "tensor":
      if (!(tree instanceof GradusTensor)) return false;
      leaves.addTensor(tree);
      return true;
    case "scalar":
      if (!isScalar(tree)) return false;
      leaves.addScalar(tree);
      return true;
    case "constant":
      return Object.is(template.value, tree);
    case "array": {
      if (!Array.isArray(tree) || tree.length !== template.items.length) return false;
      for (let i = 0; i < tree.length; i++) {
        if (!matchTree(template.items[i] as TreeTemplate, tree[i], leaves)) return false;
      }
      return true;
    }
    case "object": {
      if (typeof tree !== "object" || tree === null || Object.getPrototypeOf(tree) !== Object.prototype)
        return false;
      let i = 0;
      for (const key in tree) {
        if (key !== template.keys[i]) return false;
        const child = (tree as Record<string, unknown>)[key];
        if (!matchTree(template.items[i++] as TreeTemplate, child, leaves)) return false;
      }
      return i === template.keys.length;
    }
    case "node": {
      if (typeof tree !== "object" || tree === null || tree.constructor !== template.node.constructor)
        return false;
      return matchTree({ kind: "array", items: template.items }, (tree as TreeNode)[TREE].children, leaves);
    }
    default:
      return template satisfies never;
  }
}

/** A tree of the structure, with the leaves that `next` gives, in order. */
export function buildTree(template: TreeTemplate, next: (kind: "tensor" | "scalar") => Leaf): unknown {
  switch (template.kind) {
    case "tensor":
    case "scalar":
      return next(template.kind);
    case "constant":
      return template.value;
    case "array":
      return buildAll(template.items, next);
    case "object": {
      const made: Record<string, unknown> = {};
      for (let i = 0; i < template.keys.length; i++) {
        const key = template.keys[i] as string;
        const child = buildTree(template.items[i] as TreeTemplate, next);
        if (key === "__proto__") Object.defineProperty(made, key, { value: child, ...plain });
        else made[key] = child;
      }
      return made;
    }
    case "node":
      return template.node[TREE].rebuild(buildAll(template.items, next));
    default:
      return template satisfies never;
  }
}

const plain = { enumerable: true, configurable: true, writable: true };

function buildAll(items: readonly TreeTemplate[], next: (kind: "tensor" | "scalar") => Leaf): unknown[] {
  const made = new Array<unknown>(items.length);
  for (let i = 0; i < items.length; i++) made[i] = buildTree(items[i] as TreeTemplate, next);
  return made;
}
