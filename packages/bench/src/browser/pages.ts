import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";

const require = createRequire(import.meta.url);

/** Serves a page for each library, from the sources of this package. */
export async function servePages(
  libraries: readonly string[],
): Promise<{ readonly url: string; close(): void }> {
  const scripts = await bundle(libraries);
  const wasm = dirname(require.resolve("@tensorflow/tfjs-backend-wasm"));
  const server = createServer((request, response) => {
    // Isolated from other origins, so that clocks are fine and memory may be shared.
    const headers = {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    const [, first = "", second = ""] = (request.url ?? "/").split("/");
    const library = first.replace(/\.js$/, "");
    const file = join(wasm, second);
    if (first === "wasm" && /^[\w-]+\.wasm$/.test(second) && existsSync(file)) {
      response.writeHead(200, { ...headers, "Content-Type": "application/wasm" }).end(readFileSync(file));
    } else if (first.endsWith(".js") && scripts.has(library)) {
      response.writeHead(200, { ...headers, "Content-Type": "text/javascript" }).end(scripts.get(library));
    } else if (scripts.has(library)) {
      response
        .writeHead(200, { ...headers, "Content-Type": "text/html" })
        .end(`<!doctype html><title>${library}</title><script type="module" src="/${library}.js"></script>`);
    } else response.writeHead(404, headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, close: () => server.close() };
}

async function bundle(libraries: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    // Right from `src/browser` and from the bundle in `dist`.
    entryPoints: libraries.map((name) => join(packageFolder(), "src/browser", `${name}.ts`)),
    conditions: ["@gradus/source"],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    // Files of Node that peers ask for where there is no browser.
    external: ["fs", "path", "util", "crypto", "worker_threads", "perf_hooks", "os"],
    outdir: "pages",
    write: false,
    logLevel: "error",
  });
  return new Map(
    outputFiles.map(({ path, text }) => [(path.split(/[\\/]/).pop() as string).replace(".js", ""), text]),
  );
}

function packageFolder(folder = import.meta.dirname): string {
  return existsSync(join(folder, "package.json")) ? folder : packageFolder(dirname(folder));
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port;
}
