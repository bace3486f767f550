import { fail, GradusError } from "@gradus/core";
import { MAX_EXACT } from "./bounds.js";
import { functionsFor, type Language, signatures } from "./emit/functions.js";
import { withPlaces } from "./emit/places.js";
import { GpuJs, type GpuJsKernel } from "./gpu-js.js";

/** The elements of a buffer where kernels work, or four to each place: a texture of gpu.js or, without a card, an array. */
export type Cells = Texture | Float32Array<ArrayBuffer> | readonly unknown[];

interface Texture {
  toArray(): Float32Array<ArrayBuffer>;
  delete(): void;
}

/** A kernel of gpu.js, ready to run. */
export interface CardKernel {
  /** Computes an element of each result for each point of `output`, whose first axis is the innermost; it has one or two. */
  run(output: readonly number[], args: readonly (Cells | number)[]): readonly Cells[];
}

/** What an argument is: numbers of the host, elements on the card, four to each place there, or one number. */
export type ArgumentType = "Array" | "Cells" | "Fours" | "Float";

/** How many kernels are kept. */
const MAX_KERNELS = 1024;

/** gpu.js on a context of its own, with the functions that kernels call. */
export class Card {
  readonly maxElements: number;
  /** The most rows and columns of a texture. */
  readonly maxSide: number;
  /** The most texels of a packed operand of a product: 64 MB, as much as a buffer; 4 MB where a processor's caches hold them. */
  readonly maxPacked: number;
  /** Whose card it is, as far as the browser tells. */
  readonly adapter: string;
  readonly isSoftware: boolean;
  /**
   * A native whose elements look at more than this in all is the host's, which need not look: to move what it reads and writes
   * is sooner done then.
   */
  readonly mostLooked: number;
  /** Resolves with a reason if the browser takes the context away. */
  readonly lost: Promise<string>;
  private readonly language: Language;
  private readonly gpu: GpuJs;
  private readonly kernels = new Map<string, GpuJsKernel>();
  private readonly uploading: CardKernel;
  private readonly context: WebGL2RenderingContext | undefined;

  /** @throws `unsupported` where there is no WebGL2 that writes floats. */
  constructor(mode: "webgl2" | "cpu") {
    this.language = mode === "cpu" ? "js" : "glsl";
    let tell: (why: string) => void = () => {};
    this.lost = new Promise((resolve) => {
      tell = resolve;
    });
    if (mode === "cpu") {
      this.gpu = new GpuJs({ mode: "cpu" });
      this.maxElements = MAX_EXACT;
      this.maxSide = Math.sqrt(MAX_EXACT);
      this.adapter = "the processor, by gpu.js";
    } else {
      const { canvas, context } = openContext();
      canvas.addEventListener("webglcontextlost", (event) => {
        event.preventDefault();
        tell("the browser took the WebGL context away");
      });
      this.context = context;
      this.gpu = new GpuJs({ mode: "webgl2", canvas, context });
      this.adapter = nameOf(context);
      this.maxSide = context.getParameter(context.MAX_TEXTURE_SIZE);
      this.maxElements = Math.min(MAX_EXACT, this.maxSide ** 2);
    }
    this.isSoftware =
      mode === "cpu" || /swiftshader|llvmpipe|softpipe|software|basic render/i.test(this.adapter);
    // In gpu.js's cpu mode, which is a check, so few that nearly all products are cut.
    this.maxPacked = mode === "cpu" ? 2 ** 9 : this.isSoftware ? 2 ** 18 : 2 ** 22;
    this.mostLooked = this.isSoftware ? 2 ** 20 : 2 ** 25;
    for (const { name, returns, parameters } of signatures()) {
      const texture = this.typeName(name === "cell" ? "Cells" : "Fours");
      const typeOf = { Number: "Number", Fours: "Array(4)", Texture: texture } as const;
      const argumentTypes = parameters.map((kind) => typeOf[kind]);
      this.gpu.addNativeFunction(name, "", { returnType: typeOf[returns], argumentTypes });
    }
    this.uploading = this.kernel("function(values) { return values[this.thread.x]; }", ["Array"], 1);
  }

  get isLost(): boolean {
    return this.context?.isContextLost() ?? false;
  }

  /** A kernel from its text. Its first result is what it returns; those after it are given to `result1`, `result2` and so on. */
  kernel(source: string, types: readonly ArgumentType[], results: number): CardKernel {
    return {
      run: (output, args) => {
        const kernel = this.compiled(source, types, results);
        kernel.setOutput(output);
        const made = kernel(...args);
        if (results === 1) return [made as Cells];
        const { result, ...others } = made as Readonly<Record<string, Cells>>;
        return [result as Cells, ...Object.values(others)];
      },
    };
  }

  upload(values: Float32Array<ArrayBuffer>): Cells {
    return this.language === "js" ? values : (this.uploading.run([values.length], [values])[0] as Cells);
  }

  download(cells: Cells): Float32Array<ArrayBuffer> {
    return "toArray" in cells ? cells.toArray() : (cells as Float32Array<ArrayBuffer>);
  }

  free(cells: Cells): void {
    if ("delete" in cells) cells.delete();
  }

  async dispose(): Promise<void> {
    await this.gpu.destroy();
    this.context?.getExtension("WEBGL_lose_context")?.loseContext();
  }

  /** What gpu.js calls a type. */
  private typeName(type: ArgumentType): string {
    if (type === "Array" || type === "Float") return type;
    return this.language === "js" ? "Array" : type === "Cells" ? "ArrayTexture(1)" : "ArrayTexture(4)";
  }

  private compiled(source: string, types: readonly ArgumentType[], results: number): GpuJsKernel {
    const known = this.kernels.get(source);
    if (known !== undefined) {
      // The most recently used are last.
      this.kernels.delete(source);
      this.kernels.set(source, known);
      return known;
    }
    const text = this.language === "js" ? withPlaces(source) : source;
    this.gpu.injectNative(functionsFor(text, this.language));
    const others = Array.from({ length: results - 1 }, (_, k) => `function result${k + 1}(x) { return x; }`);
    const settings = {
      argumentTypes: types.map((type) => this.typeName(type)),
      output: [1],
      pipeline: true,
      immutable: true,
      dynamicOutput: true,
      dynamicArguments: true,
      precision: "single",
      tactic: "precision",
      fixIntegerDivisionAccuracy: false,
      loopMaxIterations: 2 ** 30,
    };
    const made =
      results === 1
        ? this.gpu.createKernel(text, settings)
        : this.gpu.createKernelMap(others, text, settings);
    this.kernels.set(source, made);
    if (this.kernels.size > MAX_KERNELS) {
      const [oldest, kernel] = this.kernels.entries().next().value as [string, GpuJsKernel];
      this.kernels.delete(oldest);
      kernel.destroy();
    }
    return made;
  }
}

function openContext(): { canvas: OffscreenCanvas; context: WebGL2RenderingContext } {
  if (typeof OffscreenCanvas === "undefined") {
    fail(
      "unsupported",
      "webgl: this host has no OffscreenCanvas, so there is no WebGL to compute with. Use cpu()",
    );
  }
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("webgl2", { alpha: false, depth: false, antialias: false });
  if (context === null) {
    return fail("unsupported", "webgl: this browser gives no WebGL2 context. Use gpu(), or cpu()");
  }
  if (context.getExtension("EXT_color_buffer_float") === null) {
    fail(
      "unsupported",
      "webgl: this graphics card does not write float textures (EXT_color_buffer_float). Use gpu(), or cpu()",
    );
  }
  if (!GpuJs.isWebGL2Supported)
    throw new GradusError("unsupported", "webgl: gpu.js finds no WebGL2 here. Use cpu()");
  return { canvas, context };
}

function nameOf(context: WebGL2RenderingContext): string {
  const info = context.getExtension("WEBGL_debug_renderer_info");
  return String(context.getParameter(info === null ? context.RENDERER : info.UNMASKED_RENDERER_WEBGL));
}
