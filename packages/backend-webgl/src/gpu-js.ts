// @ts-expect-error The build for browsers, which needs nothing of Node, has no types: the parts that are used are below.
import library from "gpu.js/dist/gpu-browser.js";

export interface GpuJsKernel {
  (...args: readonly unknown[]): unknown;
  setOutput(output: readonly number[]): this;
  destroy(removeCanvas?: boolean): void;
}

export interface GpuJs {
  addNativeFunction(
    name: string,
    source: string,
    settings: { readonly returnType: string; readonly argumentTypes: readonly string[] },
  ): this;
  injectNative(source: string): this;
  createKernel(source: string, settings: Readonly<Record<string, unknown>>): GpuJsKernel;
  /** A kernel with more results: what is given to each of `others`. */
  createKernelMap(
    others: readonly string[],
    source: string,
    settings: Readonly<Record<string, unknown>>,
  ): GpuJsKernel;
  destroy(): Promise<void>;
}

interface GpuJsClass {
  new (settings: { mode: string; canvas?: unknown; context?: unknown }): GpuJs;
  readonly isWebGL2Supported: boolean;
}

/** gpu.js. Its export is the class, or has it as a member, as the bundler likes. */
export const GpuJs: GpuJsClass = (library as { GPU?: GpuJsClass }).GPU ?? (library as GpuJsClass);
