import { type Library, numbers, type OpenLibrary, type Run } from "./library.js";

/*
 * Loops written by hand in WebAssembly: what the processor can do from there, for comparison. `wasm_peak` multiplies and adds
 * in registers; `adam_1000k` is the whole update of a million parameters in one loop.
 */

const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];

function unsigned(n: number): number[] {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)];
}

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const i32 = (n: number): number[] => [0x41, ...(n < 64 ? [n] : [(n & 0x7f) | 0x80, n >> 7])];
const simd = (instruction: number): number[] => [0xfd, ...unsigned(instruction)];
const [SPLAT, ADD, SUB, MUL, DIV, SQRT] = [19, 228, 229, 230, 231, 227].map(simd) as [
  number[],
  number[],
  number[],
  number[],
  number[],
  number[],
];
/** `a b + c` in one instruction, where the engine has it. */
const FUSED = simd(0x105);
const load = (pointer: number): number[] => [...get(pointer), ...simd(0), 4, 0];
const store = (pointer: number, value: number[]): number[] => [...get(pointer), ...value, ...simd(11), 4, 0];

/** A module with an imported memory and one function, `run`. */
function moduleOf(
  takes: readonly number[],
  locals: number,
  type: number,
  code: readonly number[],
): Uint8Array<ArrayBuffer> {
  const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
  const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
  const text = (s: string): number[] => sized([...s].map((c) => c.charCodeAt(0)));
  return Uint8Array.from([
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...sized(takes), 0]),
    ...section(2, [1, ...text("host"), ...text("memory"), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text("run"), 0, 0]),
    ...section(10, [1, ...sized([1, locals, type, ...code, 0x0b])]),
  ]);
}

/**
 * How many sums are in the making at once: enough to hide the latency of an addition behind others, few enough for the
 * registers. Which is best depends on the processor and the compiler, so the best one is taken.
 */
const CHAINS = [4, 6, 8, 10, 12];
const PRODUCTS = 1_000_000;

/** `run(steps)`: in each step every chain becomes `chain * factor + term`. */
function peakModule(fused: boolean, count: number): Uint8Array<ArrayBuffer> {
  const [factor, term] = [1 + count, 2 + count];
  const chains = Array.from({ length: count }, (_, i) => 1 + i);
  const constant = (value: number): number[] => [
    0x43,
    ...new Uint8Array(new Float32Array([value]).buffer),
    ...SPLAT,
  ];
  const step = (chain: number): number[] => [
    ...get(chain),
    ...get(factor),
    ...(fused ? [...get(term), ...FUSED] : [...MUL, ...get(term), ...ADD]),
    ...set(chain),
  ];
  return moduleOf([I32], count + 2, V128, [
    ...chains.flatMap((chain) => [...constant(chain), ...set(chain)]),
    ...[...constant(0.5), ...set(factor), ...constant(1), ...set(term)],
    ...[0x03, 0x40, ...chains.flatMap(step), ...get(0), ...i32(1), 0x6b, 0x22, 0, 0x0d, 0, 0x0b],
    // What is not used would not be computed.
    ...store(0, [...get(1), ...chains.slice(1).flatMap((chain) => [...get(chain), ...ADD])]),
  ]);
}

/** `run(p, m, v, g, end of p, beta1, 1 - beta1, beta2, 1 - beta2, rate, second, epsilon)`. */
function adamModule(): Uint8Array<ArrayBuffer> {
  const [p, m, v, g, end] = [0, 1, 2, 3, 4];
  const spread = (argument: number): number[] => [...get(argument), ...SPLAT];
  const constants = Array.from({ length: 7 }, (_, i) => [5 + i, 12 + i] as const);
  const [beta1, rest1, beta2, rest2, rate, second, epsilon] = constants.map(([, local]) => get(local)) as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const [gradient, mean, square] = [19, 20, 21];
  const advance = (pointer: number): number[] => [...get(pointer), ...i32(16), 0x6a, ...set(pointer)];
  return moduleOf([I32, I32, I32, I32, I32, ...new Array<number>(7).fill(F32)], 10, V128, [
    ...constants.flatMap(([argument, local]) => [...spread(argument), ...set(local)]),
    ...[0x03, 0x40],
    ...[...load(g), ...set(gradient)],
    ...[...load(m), ...beta1, ...MUL, ...get(gradient), ...rest1, ...MUL, ...ADD, ...set(mean)],
    ...[
      ...load(v),
      ...beta2,
      ...MUL,
      ...get(gradient),
      ...get(gradient),
      ...MUL,
      ...rest2,
      ...MUL,
      ...ADD,
      ...set(square),
    ],
    ...[...store(m, get(mean)), ...store(v, get(square))],
    ...store(p, [
      ...[...load(p), ...get(mean), ...rate, ...MUL],
      ...[...get(square), ...second, ...MUL, ...SQRT, ...epsilon, ...ADD, ...DIV, ...SUB],
    ]),
    ...[m, v, g, p].flatMap(advance),
    ...[...get(p), ...get(end), 0x49, 0x0d, 0, 0x0b],
  ]);
}

function instance(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): (...args: number[]) => void {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory } });
  return exports.run as (...args: number[]) => void;
}

function adamLoop(): Run {
  const count = 1_000_000;
  const memory = new WebAssembly.Memory({ initial: Math.ceil((16 * count) / 65536) });
  const [p, m, v, g] = [0, 4, 8, 12].map((words) => words * count) as [number, number, number, number];
  new Float32Array(memory.buffer, p, count).set(numbers(count, 1));
  new Float32Array(memory.buffer, g, count).set(numbers(count, 2));
  const run = instance(adamModule(), memory);
  let t = 0;
  return () => {
    t++;
    run(p, m, v, g, p + 4 * count, 0.9, 0.1, 0.999, 0.001, 1e-3 / (1 - 0.9 ** t), 1 / (1 - 0.999 ** t), 1e-8);
  };
}

export const open: OpenLibrary = async (): Promise<Library> => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const peak = (fused: boolean) => (): Run => {
    const candidates = CHAINS.map((count) => {
      const run = instance(peakModule(fused, count), memory);
      return (): void => run(Math.round(PRODUCTS / count));
    });
    const timed = candidates.map((run) => {
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 20; round++) {
        const begin = performance.now();
        run();
        least = Math.min(least, performance.now() - begin);
      }
      return { run, least };
    });
    return timed.reduce((a, b) => (b.least < a.least ? b : a)).run;
  };
  const flops = 8 * PRODUCTS;
  const hasFused = WebAssembly.validate(peakModule(true, 4));
  return {
    workloads: {
      wasm_peak: peak(false),
      ...(hasFused && { wasm_peak_fused: peak(true) }),
      adam_1000k: adamLoop,
    },
    flops: { wasm_peak: flops, wasm_peak_fused: flops },
  };
};
