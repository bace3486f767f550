import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { check } from "./arrows.mjs";

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "arrows-"));
  write("package.json", { devDependencies: { vitest: "1" } });
  write("packages/core/package.json", { name: "@gradus/core", exports: { ".": {} } });
  write("packages/core/src/index.ts", "export const one = 1;");
  write("packages/losses/package.json", {
    name: "@gradus/losses",
    exports: { ".": {} },
    peerDependencies: { "@gradus/core": "workspace:^" },
    devDependencies: { "@gradus/core": "workspace:*", "@gradus/tensor": "workspace:*" },
  });
  write("packages/losses/src/index.ts", `export { one } from "@gradus/core";`);
  write("packages/tensor/package.json", {
    name: "@gradus/tensor",
    exports: { ".": {} },
    peerDependencies: { "@gradus/core": "workspace:^" },
    devDependencies: { "@gradus/core": "workspace:*" },
  });
  write("packages/tensor/src/index.ts", `import type { one } from "@gradus/core";`);
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(path, content) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
}

test("a workspace that follows the table has no problems, and its tests may import devDependencies", () => {
  write("packages/losses/src/mse.test.ts", `import { test } from "vitest"; import "@gradus/tensor";`);
  expect(check(folder)).toEqual([]);
});

test.each([
  [
    "a sibling in a source",
    "losses/src/mse.ts",
    `import "@gradus/tensor";`,
    /losses may not import @gradus\/tensor/,
  ],
  ["a type of a sibling", "losses/src/mse.ts", `import type { T } from "@gradus/tensor";`, /may not import/],
  ["a dynamic import", "losses/src/mse.ts", `await import("@gradus/tensor");`, /may not import/],
  ["a re-export", "core/src/mse.ts", `export * from "@gradus/tensor";`, /core may not import.*nothing/],
  ["Node in a published source", "core/src/mse.ts", `import "node:fs";`, /core may not import node:fs/],
  [
    "another package by path",
    "losses/src/mse.ts",
    `import "../../tensor/src/index.js";`,
    /leaves the package/,
  ],
  ["a deep import", "losses/src/mse.ts", `import "@gradus/core/src/index.js";`, /does not export/],
  ["an undeclared package in a test", "tensor/src/a.test.ts", `import "@gradus/losses";`, /devDependencies/],
  ["Node in a test for browsers", "losses/src/a.test.ts", `import "node:fs";`, /x\.node\.test\.ts/],
])("%s is reported", (_, path, code, message) => {
  write(`packages/${path}`, code);
  expect(check(folder)).toEqual([expect.stringMatching(message)]);
});

test("an import in a comment does not count", () => {
  write("packages/losses/src/mse.ts", `/** import { tensor } from "@gradus/tensor"; */\nexport {};`);
  expect(check(folder)).toEqual([]);
});

test("dependencies of core, unused dependencies and circles are reported", () => {
  write("packages/core/package.json", {
    name: "@gradus/core",
    dependencies: { "@gradus/tensor": "workspace:*" },
  });
  expect(check(folder)).toEqual([
    "packages/core/package.json: core has no dependencies, but lists @gradus/tensor.",
    "packages/core/package.json: lists @gradus/tensor, which no source imports.",
    "packages depend on each other in a circle: @gradus/core -> @gradus/tensor -> @gradus/core.",
  ]);
});
