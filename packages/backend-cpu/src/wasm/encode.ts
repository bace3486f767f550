/* The binary format of WebAssembly, as far as generated kernels need it. */

export const I32 = 0x7f;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof F32 | typeof F64 | typeof V128;

/** A whole number of at least 0 as LEB128. */
export function unsigned(n: number): number[] {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)];
}

/** An i32 as signed LEB128. */
export function signed(n: number): number[] {
  return n >= -0x40 && n < 0x40 ? [n & 0x7f] : [(n & 0x7f) | 0x80, ...signed(n >> 7)];
}

export const bytesOfF32 = (x: number): number[] => [...new Uint8Array(new Float32Array([x]).buffer)];
export const bytesOfF64 = (x: number): number[] => [...new Uint8Array(new Float64Array([x]).buffer)];
export const bytesOfI32 = (x: number): number[] => [...new Uint8Array(new Int32Array([x]).buffer)];

/** The type of a function. */
export interface Signature {
  readonly takes: readonly ValueType[];
  readonly gives: readonly ValueType[];
}

export interface WasmFunction {
  readonly signature: Signature;
  /** The types of the locals after the parameters. */
  readonly locals: readonly ValueType[];
  readonly code: readonly number[];
  /** The name under which others may call it. */
  readonly exported?: string;
}

/** A function of the host that a module calls. */
export interface HostImport {
  readonly name: string;
  readonly signature: Signature;
  readonly run: (...args: number[]) => number;
}

/** What a module is made of. Functions are numbered: imports first. */
export interface WasmModule {
  readonly imports: readonly HostImport[];
  readonly functions: readonly WasmFunction[];
}

/** The most pages of 64 KB that a memory has: 4 GiB. */
const MAX_PAGES = 65536;

const list = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
const text = (s: string): number[] => sized([...s].map((character) => character.charCodeAt(0)));

/**
 * The bytes of a module, which imports its memory as `host.memory`, shared between threads or not, and its functions from
 * `host` too.
 */
export function encodeModule({ imports, functions }: WasmModule, isShared: boolean): Uint8Array<ArrayBuffer> {
  const all = [...imports, ...functions];
  const imported = imports.map(({ name }, i) => [...text("host"), ...text(name), 0, ...unsigned(i)]);
  const limits = [isShared ? 3 : 1, ...unsigned(1), ...unsigned(MAX_PAGES)];
  const exported = functions.flatMap(({ exported: name }, i) =>
    name === undefined ? [] : [[...text(name), 0, ...unsigned(imports.length + i)]],
  );
  const bodies = functions.map(({ locals, code }) =>
    sized([...list(locals.map((type) => [1, type])), ...code, 0x0b]),
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      list(all.map(({ signature: { takes, gives } }) => [0x60, ...sized(takes), ...sized(gives)])),
    ),
    ...section(2, list([...imported, [...text("host"), ...text("memory"), 2, ...limits]])),
    ...section(3, list(functions.map((_, i) => unsigned(imports.length + i)))),
    ...section(7, list(exported)),
    ...section(10, list(bodies)),
  ]);
}
