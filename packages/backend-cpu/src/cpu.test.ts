import { setDefaultDevice, tensor } from "@gradus/tensor";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { cpu } from "./cpu.js";

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("without WebAssembly, it is the interpreter and says so once", () => {
  const check = async (): Promise<void> => {
    const device = await cpu();
    setDefaultDevice(device);
    expect(device.name).toBe("interpreter");
    expect((await tensor([1, 2]).add(1).read())[1]).toBe(3);
    expect(console.warn).toHaveBeenCalledOnce();
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining("many times slower"));
  };

  it("where there is none", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    await check();
  });

  it("where it has no vectors", async () => {
    const compile = () => Promise.reject(new WebAssembly.CompileError("invalid value type 0x7b"));
    vi.stubGlobal("WebAssembly", { ...WebAssembly, CompileError: WebAssembly.CompileError, compile });
    await check();
  });

  it("where a policy forbids it", async () => {
    const compile = () => Promise.reject(new WebAssembly.CompileError("blocked by CSP"));
    vi.stubGlobal("WebAssembly", { ...WebAssembly, CompileError: WebAssembly.CompileError, compile });
    await check();
  });
});

it("claims that its buffers must be freed, if told to", async () => {
  expect((await cpu()).caps.collected).toBe(true);
  expect((await cpu({ collected: false })).caps.collected).toBe(false);
});

describe("where memory cannot be shared", () => {
  beforeEach(() => vi.stubGlobal("crossOriginIsolated", false));

  it("computes on one thread, and says so if more were asked for", async () => {
    await cpu();
    expect(console.warn).not.toHaveBeenCalled();
    const device = await cpu({ threads: 2 });
    expect(console.warn).toHaveBeenCalledOnce();
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining("Cross-Origin-Opener-Policy"));
    setDefaultDevice(device);
    const sum = tensor(new Float32Array(200_000).fill(0.5)).exp().mean();
    expect((await sum.read())[0]).toBeCloseTo(Math.exp(0.5), 5);
  });
});
