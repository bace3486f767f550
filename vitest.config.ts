import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import { docs } from "./packages/doctest/vitest.project.js";
import { launchOptions } from "./tooling/browser/chromium.js";

// A test's name says where it runs:
//   x.test.ts          Node, and Chromium too where its package is for browsers
//   x.node.test.ts     Node
//   x.browser.test.ts  Chromium
//   x.full.test.ts     Node, in `pnpm test:full`
// In `pnpm test:full` the tests of backend-cpu also run in Chromium on a page that is not isolated from other origins, where
// threads cannot share memory.
// The examples of the documentation are the project "docs".
const portable =
  "packages/{core,tensor,autograd,losses,optimizers,nn,conformance,backend-cpu}/src/**/*.test.ts";

// Ends what hangs. On a busy machine anything may take long.
const testTimeout = 60_000;
// Files share what is loaded: loading it for each would take longer than the tests. tooling/setup.ts sees to it that no test
// leaves anything behind for the next.
const isolate = false;

// Packages of this workspace are tested from their sources: nothing needs to be built first.
const sources = {
  resolve: { conditions: ["@gradus/source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["@gradus/source", ...defaultServerConditions] } },
};

export default defineConfig({
  test: {
    reporters: ["default", ["json", { outputFile: ".generated/tests.json" }]],
    projects: [
      {
        ...sources,
        test: {
          name: "node",
          testTimeout,
          isolate,
          include: ["packages/*/src/**/*.test.ts", "tooling/**/*.node.test.mjs"],
          exclude: ["**/*.browser.test.ts", "**/*.full.test.ts"],
          setupFiles: ["tooling/setup.ts"],
          globalSetup: ["tooling/webgpu/vulkan.ts"],
        },
      },
      {
        ...sources,
        server: {
          headers: {
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
          },
        },
        test: {
          name: "browser",
          testTimeout,
          isolate,
          include: [portable, "{packages/*/src,tooling}/**/*.browser.test.ts"],
          exclude: ["**/*.node.test.ts", "**/*.full.test.ts"],
          setupFiles: ["tooling/setup.ts"],
          globalSetup: ["tooling/browser/chromium.ts"],
          browser: {
            enabled: true,
            headless: true,
            provider: playwright({ launchOptions }),
            instances: [{ browser: "chromium" }],
            screenshotFailures: false,
          },
        },
      },
      {
        ...sources,
        test: {
          name: "browser-not-isolated",
          include: ["packages/backend-cpu/src/**/*.test.ts"],
          exclude: ["**/*.node.test.ts", "**/*.full.test.ts"],
          setupFiles: ["tooling/setup.ts"],
          globalSetup: ["tooling/browser/chromium.ts"],
          browser: {
            enabled: true,
            headless: true,
            provider: playwright({ launchOptions }),
            instances: [{ browser: "chromium", name: "chromium-not-isolated" }],
            screenshotFailures: false,
          },
        },
      },
      { ...sources, ...docs },
      {
        ...sources,
        test: {
          name: "full",
          include: ["packages/*/src/**/*.full.test.ts"],
          setupFiles: ["tooling/setup.ts"],
          globalSetup: ["tooling/webgpu/vulkan.ts"],
          testTimeout: 600_000,
        },
      },
    ],
  },
});
