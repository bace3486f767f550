import {
  type DType,
  flattenTree,
  formatPath,
  isScalar,
  type Leaf,
  mapLeaves,
  type Shape,
  scalar,
  type Tensor,
  type TypedArray,
} from "@gradus/core";
import { tensor } from "@gradus/tensor";
import { assert } from "vitest";

interface StoredTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** The leaves of a state as a file would hold them: by path, without any object of before. */
export type StoredState = ReadonlyMap<string, number | StoredTensor>;

export async function storeState(state: unknown): Promise<StoredState> {
  const { leaves, paths } = flattenTree(state);
  const entries = leaves.map(async (leaf, i): Promise<[string, number | StoredTensor]> => {
    const path = JSON.stringify(paths[i]);
    if (isScalar(leaf)) return [path, leaf.value];
    const { dtype, shape } = leaf;
    return [path, { dtype, shape, data: (await leaf.read()).slice() }];
  });
  return new Map(await Promise.all(entries));
}

/** A state like `template`, which `init` made, with what was stored in place of its leaves. */
export function restoreState<S>(template: S, stored: StoredState): S {
  const missing = new Set(stored.keys());
  const state = mapLeaves(template, (leaf, path): Leaf => {
    const key = JSON.stringify(path);
    const found = stored.get(key);
    missing.delete(key);
    if (isScalar(leaf)) {
      if (typeof found === "number") return scalar(found);
      return assert.fail(
        `init() makes the scalar ${formatPath(path)} of the state, which a later state lacks`,
      );
    }
    if (found === undefined || typeof found === "number") {
      return assert.fail(
        `init() makes the tensor ${formatPath(path)} of the state, which a later state lacks`,
      );
    }
    return like(leaf, found);
  });
  const [first] = missing;
  if (first !== undefined) {
    assert.fail(
      `a later state has ${formatPath(JSON.parse(first))}, which init() does not make: no file could be read into it`,
    );
  }
  return state;
}

function like(leaf: Tensor, { dtype, shape, data }: StoredTensor): Tensor {
  return tensor(data, { dtype, shape, device: leaf.device });
}

/** Fails unless two trees have the same bits, naming the first leaf that differs. */
export async function expectSameBits(actual: unknown, expected: unknown, what: string): Promise<void> {
  const [a, b] = [await storeState(actual), await storeState(expected)];
  assert.sameMembers([...a.keys()], [...b.keys()], `${what}: the leaves`);
  for (const [path, one] of a) {
    const other = b.get(path);
    const where = `${what}: ${formatPath(JSON.parse(path))}`;
    if (typeof one === "number") {
      assert.ok(Object.is(one, other), `${where} is ${one}, expected ${String(other)}`);
      continue;
    }
    const wanted = other as StoredTensor;
    assert.equal(one.dtype, wanted.dtype, `${where}: dtype`);
    one.data.forEach((x, i) => {
      const y = wanted.data[i];
      assert.ok(Object.is(x, y), `${where}: element ${i} is ${x}, expected ${y}`);
    });
  }
}
