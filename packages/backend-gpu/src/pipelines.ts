import type { Binding } from "./emit/bindings.js";
import type { Shader } from "./emit/shader.js";
import { COMPUTE_STAGE } from "./usage.js";

/** A compiled shader. */
export interface Pipeline {
  readonly shader: Shader;
  /** What computes, for messages and profiles. */
  readonly label: string;
  readonly layout: Layout;
  readonly compute: GPUComputePipeline;
}

export interface Layout {
  readonly key: string;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

const MAX_PIPELINES = 4096;

/** Compiles shaders, each text once. */
export class Pipelines {
  private readonly layouts = new Map<string, Layout>();
  private readonly made = new Map<string, Pipeline>();

  constructor(
    private readonly device: GPUDevice,
    private readonly failed: (error: GPUError, what: string) => void,
    private readonly watch: (promise: Promise<unknown>) => void,
  ) {}

  /** The pipeline of a shader. The device may still be compiling it: what uses it then waits, the caller does not. */
  get(shader: Shader, label: string): Pipeline {
    const known = this.made.get(shader.code);
    if (known !== undefined) return known;
    const { device } = this;
    device.pushErrorScope("validation");
    const layout = this.layoutOf(shader.bindings);
    const compute = device.createComputePipeline(this.descriptor(shader, label, layout));
    this.watch(
      device.popErrorScope().then((error) => {
        if (error !== null) this.failed(error, `kernel "${label}"`);
      }),
    );
    return this.keep({ shader, label, layout, compute });
  }

  /** Compiles without making anybody wait. */
  async prepare(shader: Shader, label: string): Promise<void> {
    if (this.made.has(shader.code)) return;
    const layout = this.layoutOf(shader.bindings);
    const compute = await this.device.createComputePipelineAsync(this.descriptor(shader, label, layout));
    if (!this.made.has(shader.code)) this.keep({ shader, label, layout, compute });
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
