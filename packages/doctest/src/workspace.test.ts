import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const manifest = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../${name}/package.json`, import.meta.url), "utf8"));

it("examples can import every published package", () => {
  const packages = readdirSync(new URL("../../", import.meta.url)).map(manifest);
  const published = packages.filter((pkg) => !pkg.private).map(({ name }) => name);
  expect(published).not.toEqual([]);
  expect(Object.keys(manifest("doctest").dependencies)).toEqual(expect.arrayContaining(published));
});
