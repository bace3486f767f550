import { scalar } from "@gradus/core";
import { defaultDevice, tensor } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { buildTree, copyTree, nameOf, readTree } from "./host-tree.js";

const device = defaultDevice();
const tree = { layers: [{ weight: tensor([[1, 2]]) }, { step: scalar(0.1) }], name: "n" };

describe("readTree and buildTree", () => {
  it("give back the same tree on new memory", async () => {
    const copy = await copyTree(tree, device);
    expect(copy.layers[0]?.weight?.toArray()).toEqual([[1, 2]]);
    expect(copy.layers[1]?.step?.value).toBe(0.1);
    expect(copy.name).toBe("n");
    copy.layers[0]?.weight?.dispose();
    expect(tree.layers[0]?.weight?.toArray()).toEqual([[1, 2]]);
  });

  it("name leaves by their paths", async () => {
    const saved = await readTree("params", tree);
    expect([...saved.tensors.keys()]).toEqual(["params.layers.0.weight"]);
    expect([...saved.scalars]).toEqual([["params.layers.1.step", 0.1]]);
    expect([...(await readTree("params", tensor(1))).tensors.keys()]).toEqual(["params"]);
  });

  it("give different names to different paths", () => {
    const paths = [["a", "b"], ["a.b"], ["a\\", "b"], ["a\\.b"]];
    expect(new Set(paths.map(nameOf)).size).toBe(paths.length);
  });

  it("read what is there at the call, though it is disposed before the reading is done", async () => {
    const x = tensor([1, 2, 3]);
    const reading = readTree("x", x);
    x.dispose();
    expect((await reading).tensors.get("x")?.data).toEqual(new Float32Array([1, 2, 3]));
  });

  it.each([
    ["a missing tensor", { a: tensor(1), b: tensor(2) }, "test: there is no tensor p.b"],
    ["a missing number", { a: tensor(1), b: scalar(2) }, "test: there is no number p.b"],
    ["a tensor too many", {}, "test: there is p.a, which has no place here"],
    ["another shape", { a: tensor([1]) }, "test: p.a is f32[], expected f32[1]"],
    ["another dtype", { a: tensor(1, { dtype: "f64" }) }, "test: p.a is f32[], expected f64[]"],
  ])("name the path of %s", async (_, template, message) => {
    const saved = await readTree("p", { a: tensor(1) });
    const call = () => buildTree<unknown>("test", "p", template, saved, device);
    expect(call).toThrow(expect.objectContaining({ code: "tree-mismatch", message }));
  });
});
