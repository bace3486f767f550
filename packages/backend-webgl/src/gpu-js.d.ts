/** The parts of gpu.js that this package uses, as the build for browsers has them. */
declare module "gpu.js/dist/gpu-browser.js" {
  export interface GpuJsKernel {
    (...args: unknown[]): unknown;
    setOutput(output: readonly number[]): this;
    destroy(removeCanvas?: boolean): void;
  }

  export class GPU {
    constructor(settings: { mode: string; canvas?: unknown; context?: unknown });
    static readonly isWebGL2Supported: boolean;
    addNativeFunction(
      name: string,
      source: string,
      settings: { returnType: string; argumentTypes: readonly string[] },
    ): this;
    injectNative(source: string): this;
    createKernel(source: string, settings: Readonly<Record<string, unknown>>): GpuJsKernel;
    destroy(): Promise<void>;
  }

  /** The library is the class, which also has itself as a member. */
  const library: typeof GPU & { GPU?: typeof GPU };
  export { library as default };
}
