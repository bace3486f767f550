import { afterEach, expect, it, vi } from "vitest";
import { cpu } from "./cpu.js";

afterEach(() => {
  vi.unstubAllGlobals();
});

it("names the interpreter where there is no WebAssembly", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  await expect(cpu()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("interpreter()"),
  });
});

it("names the interpreter where a policy forbids WebAssembly", async () => {
  const compile = () => Promise.reject(new WebAssembly.CompileError("blocked by CSP"));
  vi.stubGlobal("WebAssembly", { ...WebAssembly, CompileError: WebAssembly.CompileError, compile });
  await expect(cpu()).rejects.toMatchObject({ code: "unsupported" });
});

it("claims that its buffers must be freed, if told to", async () => {
  expect((await cpu()).caps.collected).toBe(true);
  expect((await cpu({ collected: false })).caps.collected).toBe(false);
});
