import { fileURLToPath } from "node:url";
import * as nn from "@gradus/nn";
import * as tensors from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { catalogue } from "./catalogue.js";
import { operations } from "./names.js";
import { nameOf, operationsPage } from "./page.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const all = Object.values(operations).flat();
const prototype = Object.getPrototypeOf(tensors.tensor(0)) as Record<string, unknown>;

describe("the page of operations", () => {
  it.each(all.map(({ ours }) => ours))("%s exists", (call) => {
    const owner = /^(\w+)\./.exec(call)?.[1];
    const home: object = owner === undefined ? tensors : owner === "nn" ? nn : prototype;
    expect((home as Record<string, unknown>)[nameOf(call)]).toBeTypeOf("function");
  });

  it("maps every name of the catalogue", () => {
    const mapped = new Set(
      all.flatMap(({ torch }) => torch.split(", ").flatMap((name) => [name, name.split(" ")[0] as string])),
    );
    expect(catalogue.filter((name) => !mapped.has(name))).toEqual([]);
  });

  it("lists every method and every function", () => {
    const listed = new Set(all.map(({ ours }) => nameOf(ours)));
    const without = [
      ...["compile", "currentTrace", "defaultDevice", "setDefaultDevice", "openScope", "scope", "scopeDepth"],
      "autocast",
      ...["nonzeroAsync", "uniqueAsync", "maskedSelectAsync", "bincountAsync", "indexAsync"],
      ...["indexPutAsync"],
      ...["constructor", "dispose", "toString"],
    ];
    const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(
      ([name, { value }]) => (typeof value === "function" ? [name] : []),
    );
    const functions = Object.entries(tensors).flatMap(([name, value]) =>
      typeof value === "function" ? [name] : [],
    );
    const missing = [...methods, ...functions].filter((name) => !listed.has(name) && !without.includes(name));
    expect(missing).toEqual([]);
  });

  it("is what the sources say", async () => {
    await expect(operationsPage(root)).toMatchFileSnapshot(`${root}docs/operations.md`);
  });
});
