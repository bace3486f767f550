import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchOptions, setup } from "../../../tooling/browser/chromium.js";

/* Pages whose content security policy forbids what a device wants: each says so once, and computes all the same. */

let browser: Browser;
let program: string;
let server: Server | undefined;

beforeAll(async () => {
  await setup();
  browser = await chromium.launch(launchOptions);
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { setDefaultDevice, tensor } from "@gradus/tensor";
        import { cpu } from "./cpu.js";
        globalThis.sumOn = async (options) => {
          const device = await cpu(options);
          setDefaultDevice(device);
          const x = tensor(Float32Array.from({ length: 300_000 }, () => 2));
          let sum;
          for (let k = 0; k < 10; k++) {
            sum = (await x.square().sum().read())[0];
            // Workers come up, or fail to, between tasks of the page.
            await new Promise((resolve) => setTimeout(resolve, 30));
          }
          await device.dispose();
          return { sum, name: device.name };
        };
      `,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    format: "iife",
    platform: "browser",
    conditions: ["@gradus/source"],
    write: false,
  });
  program = outputFiles[0]?.text as string;
});
afterAll(async () => {
  await browser.close();
  server?.close();
});

/** What a page with this policy computes, and its warnings. */
async function onPage(policy: string, options: object) {
  server?.close();
  server = createServer(({ url }, response) => {
    response.setHeader("Content-Security-Policy", policy);
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const isProgram = url === "/program.js";
    response.setHeader("Content-Type", isProgram ? "text/javascript" : "text/html");
    response.end(isProgram ? program : "<!doctype html><script src=program.js></script>");
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  try {
    const warnings: string[] = [];
    const errors: unknown[] = [];
    page.on("console", (message) => {
      if (message.type() === "warning") warnings.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(error));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const result = await page.evaluate(
      (options) =>
        (globalThis as unknown as { sumOn(options: object): Promise<{ sum: number; name: string }> }).sumOn(
          options,
        ),
      options,
    );
    expect(errors).toEqual([]);
    return { ...result, warnings: warnings.filter((text) => text.startsWith("gradus")) };
  } finally {
    await page.close();
  }
}

const WASM = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";

it.each<[what: string, policy: string, options: object, name: string, warning: RegExp | undefined]>([
  ["all that it wants", `${WASM}; worker-src blob:`, { threads: 3 }, "cpu", undefined],
  ["no WebAssembly", "default-src 'self'", {}, "interpreter", /interpreter computes.*'wasm-unsafe-eval'/],
  [
    "no WebAssembly, in a worker",
    "default-src 'self'",
    { worker: true },
    "interpreter",
    /interpreter computes.*'wasm-unsafe-eval'/,
  ],
  ["no workers", WASM, { threads: 3 }, "cpu", /could not start worker threads.*blob:.*one thread/],
  [
    "no worker for the device",
    WASM,
    { worker: true },
    "cpu",
    /this thread computes.*blob: in its worker-src/,
  ],
])("with %s a page computes, and says once what is lost", async (_, policy, options, name, warning) => {
  const result = await onPage(policy, options);
  expect(result.sum).toBe(1_200_000);
  expect(result.name).toBe(name);
  expect(result.warnings).toHaveLength(warning === undefined ? 0 : 1);
  if (warning !== undefined) expect(result.warnings[0]).toMatch(warning);
});
