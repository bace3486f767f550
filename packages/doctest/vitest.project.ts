import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import type { TestProjectInlineConfiguration } from "vitest/config";
import { generate } from "./src/generate.js";

const out = fileURLToPath(new URL(".generated/", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Writes the tests before Vitest looks for them, which it does before any `globalSetup`. */
const examples: Plugin = {
  name: "gradus:examples",
  config() {
    generate(root, out);
  },
};

/** The project `docs`: the examples of the documentation, as `generate` has made them tests. */
export const docs: TestProjectInlineConfiguration = {
  plugins: [examples],
  test: {
    name: "docs",
    include: ["packages/doctest/.generated/*.test.ts"],
    // Examples run in a folder of their own, and worker threads cannot change theirs.
    pool: "forks",
    // Loading the packages for each of hundreds of examples would take longer than running them.
    isolate: false,
    // After each, what is global is as it was.
    setupFiles: ["tooling/setup.ts"],
    // A graphics card, by software, for the examples that compute on one.
    globalSetup: ["tooling/webgpu/vulkan.ts"],
    testTimeout: 60_000,
  },
};
