import { defaultClientConditions, defineConfig } from "vite";

// A page that is isolated from other origins may share memory between threads.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: import.meta.dirname,
  // Packages of this workspace are used from their sources: nothing needs to be built first.
  resolve: { conditions: ["@gradus/source", ...defaultClientConditions] },
  worker: { format: "es" },
  build: { outDir: ".generated", chunkSizeWarningLimit: 2000 },
  server: { headers },
  preview: { headers },
});
