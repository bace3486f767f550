import type { Binding } from "./emit/bindings.js";
import type { Shader } from "./emit/shader.js";
import { COMPUTE_STAGE } from "./usage.js";

/** A shader, compiled or on its way. */
export interface Pipeline {
  readonly shader: Shader;
  /** What computes, for messages and profiles. */
  readonly label: string;
  readonly layout: Layout;
  /** Resolves when the device is done with compiling; undefined once it is. */
  readonly ready: Promise<void> | undefined;
  /** Undefined while it is being compiled, and if that failed. */
  readonly compute: GPUComputePipeline | undefined;
}

export interface Layout {
  readonly key: string;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

const MAX_PIPELINES = 4096;

/** Compiles shaders, each text once, in parallel where the device can, and without making anybody wait. */
export class Pipelines {
  private readonly layouts = new Map<string, Layout>();
  private readonly made = new Map<string, Pipeline>();

  constructor(
    private readonly device: GPUDevice,
    private readonly failed: (error: { readonly message: string }, what: string) => void,
  ) {}

  /**
   * The pipeline of a shader. The device may still be compiling it: see `ready`. A device that refuses one is reported, unless it
   * is only tried (`isTrial`).
   */
  get(shader: Shader, label: string, isTrial = false): Pipeline {
    const known = this.made.get(shader.code);
    if (known !== undefined) return known;
    const layout = this.layoutOf(shader.bindings);
    const pipeline: { -readonly [Key in keyof Pipeline]: Pipeline[Key] } = {
      shader,
      label,
      layout,
      ready: undefined,
      compute: undefined,
    };
    pipeline.ready = this.compile(shader, label, layout, isTrial).then((compute) => {
      pipeline.compute = compute;
      pipeline.ready = undefined;
    });
    return this.keep(pipeline);
  }

  private async compile(
    shader: Shader,
    label: string,
    layout: Layout,
    isTrial: boolean,
  ): Promise<GPUComputePipeline | undefined> {
    try {
      return await this.device.createComputePipelineAsync(this.descriptor(shader, label, layout));
    } catch (error) {
      if (!isTrial) this.failed(error as GPUPipelineError, `kernel "${label}"`);
      return undefined;
    }
  }

  private keep(pipeline: Pipeline): Pipeline {
    this.made.set(pipeline.shader.code, pipeline);
    if (this.made.size > MAX_PIPELINES) this.made.delete(this.made.keys().next().value as string);
    return pipeline;
  }

  private descriptor(shader: Shader, label: string, layout: Layout): GPUComputePipelineDescriptor {
    const module = this.device.createShaderModule({ label, code: shader.code });
    return { label, layout: layout.pipeline, compute: { module, entryPoint: "main" } };
  }

  private layoutOf(bindings: readonly Binding[]): Layout {
    const key = bindings.map(({ writes }) => (writes ? "w" : "r")).join("");
    const known = this.layouts.get(key);
    if (known !== undefined) return known;
    const group = this.device.createBindGroupLayout({
      label: `gradus ${key}`,
      entries: [
        { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...bindings.map(({ writes }, i): GPUBindGroupLayoutEntry => {
          const type = writes ? "storage" : "read-only-storage";
          return { binding: i + 1, visibility: COMPUTE_STAGE, buffer: { type } };
        }),
      ],
    });
    const layout = { key, group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.layouts.set(key, layout);
    return layout;
  }
}
