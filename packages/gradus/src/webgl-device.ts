import { fail } from "@gradus/core";

/** A graphics card by WebGL, of the optional peer `@gradus/backend-webgl`. */
export async function webglDevice() {
  const { webgl } = await load();
  return await webgl();
}

/** Whether this host may have WebGL at all. */
export function mayHaveWebgl(): boolean {
  return typeof OffscreenCanvas !== "undefined";
}

async function load() {
  try {
    // Only whoever installs it has it, so that gpu.js, which it is made of, is nobody else's.
    return await import("@gradus/backend-webgl");
  } catch {
    return fail("unsupported", "webgl: the package @gradus/backend-webgl is not installed");
  }
}
