import { WebglBackend, type WebglDevice } from "./webgl-backend.js";

export interface WebglOptions {
  /**
   * Where gpu.js runs kernels. Default `webgl2`: on the graphics card. `cpu`: as JavaScript on the processor, in Node too, to try a
   * program without a card; it is slow, and `cpu()` of `@gradus/backend-cpu` is not.
   */
  readonly mode?: "webgl2" | "cpu";
}

/**
 * The graphics card by WebGL2, for browsers without WebGPU. f32, bool, and i32: what integers beyond 2^24 need (random bits), and what
 * a shader cannot do (sorting, decompositions), the host computes. Buffers must be freed, as on any card: eager code needs
 * `scope`, `using` or `dispose`; compiled steps need nothing.
 *
 * Kernels are compiled from text: under a content security policy it needs `unsafe-eval`.
 *
 * @throws `unsupported` where there is no WebGL2 whose textures take floats.
 *
 * @example
 * ```ts
 * import { webgl } from "@gradus/backend-webgl";
 * const device = await webgl({ mode: "cpu" });
 * device.name; // → webgl
 * ```
 */
export async function webgl({ mode = "webgl2" }: WebglOptions = {}): Promise<WebglDevice> {
  return new WebglBackend(mode);
}
