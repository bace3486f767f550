import { type DType, type Expr, fail, type Kernel, type LoadExpr, postOrder } from "@gradus/core";
import { storedAs } from "./operations.js";

/** What a shader binds: a buffer of the launch, scratch memory, or the word that failed checks are reported in. */
export type Binding =
  | { readonly kind: "buffer"; readonly index: number; readonly writes: boolean }
  | { readonly kind: "scratch"; readonly writes: boolean }
  | { readonly kind: "errors"; readonly writes: true };

/** A value as an element of a buffer. One of f16 was rounded before, so it is converted exactly. */
export function stored(dtype: DType, value: string): string {
  return dtype === "bool" ? `select(0u, 1u, ${value})` : dtype === "f16" ? `f16(${value})` : value;
}

/** An element of a buffer as a value; of f16 as an f32. */
export function loaded(dtype: DType, element: string): string {
  return dtype === "bool" ? `(${element} != 0u)` : dtype === "f16" ? `f32(${element})` : element;
}

/** Which buffer of a launch an input lies in: the output's that takes it over, if one does. */
export function bufferOf({ inputs, aliases }: Kernel, input: number): number {
  const output = aliases?.indexOf(input) ?? -1;
  return output < 0 ? input : inputs.length + output;
}

/** Words of a launch's arguments before its sizes. */
export const ARGUMENTS = { points: 0, chunks: 1, errors: 2, threads: 3, first: 4 } as const;

/**
 * The buffers of a kernel in WGSL. A buffer that an output takes over from an input is bound once. Where there are more than
 * a shader may bind, the last ones lie together in scratch memory: they are copied there before and, if they are
 * outputs, back after.
 */
export class Bindings {
  readonly list: Binding[] = [];
  /** Buffers of the launch that lie in scratch memory, in order; their offsets, in words, follow the params. */
  readonly packed: number[] = [];
  private readonly names = new Map<number, string>();
  private readonly declarations: string[] = [];
  private readonly sizesAt = ARGUMENTS.first;
  private readonly paramsAt: number;
  private readonly packedAt: number;
  private usesScratch = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly options: {
      readonly axes: number;
      /** The most storage buffers of a shader. */
      readonly limit: number;
      /** Buffers of the launch that are bound as vectors of four. */
      readonly vectors?: ReadonlySet<number>;
      /** Which outputs the shader writes; all by default. */
      readonly outputs?: readonly number[];
      /** The expressions that it computes. */
      readonly roots: readonly Expr[];
      /** Whether it needs scratch memory or the error word. */
      readonly scratch?: "read" | "read_write" | undefined;
      readonly errors?: boolean;
    },
  ) {
    this.paramsAt = this.sizesAt + options.axes;
    this.packedAt = this.paramsAt + kernel.params.length;
    const used = this.usedBuffers();
    const { inputs, outputs } = kernel;
    const isHalfOutput = (index: number): boolean =>
      index >= inputs.length && outputs[index - inputs.length] === "f16";
    const others = Number(options.scratch !== undefined) + Number(options.errors === true);
    const room = options.limit - others;
    // Packed, two elements of f16 share a word, which only one thread could write.
    if (used.length > room) used.sort((a, b) => Number(isHalfOutput(b)) - Number(isHalfOutput(a)));
    // One binding is for the packed ones, which share with other scratch memory: no kernel has both.
    const bound = used.length <= room ? used : used.slice(0, room - 1);
    if (used.slice(bound.length).some(isHalfOutput))
      fail(
        "unsupported",
        `kernel "${kernel.name}": it has more outputs of f16 than the graphics card may bind`,
      );
    for (const index of bound) this.bind(index);
    this.packed.push(...used.slice(bound.length));
    if (this.packed.length > 0) this.declareScratch("u32", "read_write");
    if (options.scratch !== undefined) this.declareScratch("u32", options.scratch);
    if (options.errors === true) {
      this.declare("errors", "atomic<u32>", "read_write");
      this.list.push({ kind: "errors", writes: true });
    }
  }

  /** How many words of arguments the shader reads. */
  get words(): number {
    return this.packedAt + this.packed.length;
  }

  /** Everything that stands before the functions. */
  get text(): string {
    const vectors = Math.ceil(this.words / 4);
    return [
      `struct Arguments { words: array<vec4<u32>, ${vectors}> }`,
      "@group(0) @binding(0) var<uniform> args: Arguments;",
      ...this.declarations,
    ].join("\n");
  }

  word(index: number): string {
    return `args.words[${index >> 2}].${"xyzw"[index & 3]}`;
  }

  size(axis: number): string {
    return `i32(${this.word(this.sizesAt + axis)})`;
  }

  param(index: number): string {
    const word = this.word(this.paramsAt + index);
    const dtype = this.kernel.params[index] as DType;
    return dtype === "bool" ? `(${word} != 0u)` : `bitcast<${dtype}>(${word})`;
  }

  /** An element of an input. */
  load(input: number, index: string): string {
    const dtype = this.kernel.inputs[input] as DType;
    const buffer = bufferOf(this.kernel, input);
    const packed = this.packed.indexOf(buffer);
    // Two to a word.
    if (packed >= 0 && dtype === "f16")
      return `unpack2x16float(scratch[${this.packedIndex(packed, `((${index}) >> 1u)`)}])[(${index}) & 1]`;
    return loaded(dtype, this.element(buffer, index, dtype));
  }

  /** Four elements of an input that is bound as vectors, as they are stored; `loaded` makes values of them. */
  loadFour(input: number, index: string): string {
    return `${this.name(bufferOf(this.kernel, input))}[(${index}) >> 2u]`;
  }

  /** The statement that stores four elements to an output that is bound as vectors. */
  storeFour(output: number, index: string, four: string): string {
    return `${this.name(this.kernel.inputs.length + output)}[(${index}) >> 2u] = ${four};`;
  }

  /** The statement that stores to an output. */
  store(output: number, index: string, value: string): string {
    const dtype = this.kernel.outputs[output] as DType;
    const element = stored(dtype, value);
    const buffer = this.kernel.inputs.length + output;
    const packed = this.packed.indexOf(buffer);
    if (packed >= 0) return `scratch[${this.packedIndex(packed, index)}] = bitcast<u32>(${element});`;
    return `${this.names.get(buffer)}[${index}] = ${element};`;
  }

  /** The name of a bound buffer of the launch. */
  name(buffer: number): string {
    return this.names.get(buffer) as string;
  }

  private element(buffer: number, index: string, dtype: DType): string {
    const packed = this.packed.indexOf(buffer);
    if (packed >= 0) return `bitcast<${storedAs(dtype)}>(scratch[${this.packedIndex(packed, index)}])`;
    const name = this.names.get(buffer) as string;
    if (this.options.vectors?.has(buffer)) return `${name}[(${index}) >> 2u][(${index}) & 3]`;
    return `${name}[${index}]`;
  }

  private packedIndex(packed: number, index: string): string {
    return `${this.word(this.packedAt + packed)} + u32(${index})`;
  }

  private usedBuffers(): number[] {
    const { inputs, outputs, aliases } = this.kernel;
    const read = new Set(
      postOrder(this.options.roots).flatMap((e) => (e.kind === "load" ? (e as LoadExpr).buffer : [])),
    );
    const own = inputs.flatMap((_, i) => (read.has(i) && !aliases?.includes(i) ? i : []));
    const written = (this.options.outputs ?? outputs.map((_, k) => k)).map((k) => inputs.length + k);
    const others = outputs.flatMap((_, k) => {
      const input = aliases?.[k];
      const buffer = inputs.length + k;
      return input !== undefined && read.has(input) && !written.includes(buffer) ? buffer : [];
    });
    return [...own, ...written, ...others];
  }

  private bind(index: number): void {
    const { inputs, outputs } = this.kernel;
    const isOutput = index >= inputs.length;
    const dtype = (isOutput ? outputs[index - inputs.length] : inputs[index]) as DType;
    const name = `b${index}`;
    const element = this.options.vectors?.has(index) ? `vec4<${storedAs(dtype)}>` : storedAs(dtype);
    this.declare(name, `array<${element}>`, isOutput ? "read_write" : "read");
    this.names.set(index, name);
    this.list.push({ kind: "buffer", index, writes: isOutput });
  }

  private declareScratch(element: string, access: "read" | "read_write"): void {
    if (this.usesScratch)
      throw new Error(`kernel "${this.kernel.name}" needs scratch memory for two purposes`);
    this.usesScratch = true;
    this.declare("scratch", `array<${element}>`, access);
    this.list.push({ kind: "scratch", writes: access === "read_write" });
  }

  private declare(name: string, type: string, access: "read" | "read_write"): void {
    const binding = this.declarations.length + 1;
    this.declarations.push(`@group(0) @binding(${binding}) var<storage, ${access}> ${name}: ${type};`);
  }
}
