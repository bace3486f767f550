import { ByteWriter } from "./byte-writer.js";

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

/** The type of a function. */
export interface Signature {
  readonly takes: readonly ValueType[];
  readonly gives: readonly ValueType[];
}

export interface WasmFunction {
  readonly signature: Signature;
  /** The types of the locals after the parameters. */
  readonly locals: readonly ValueType[];
  readonly code: Uint8Array;
  /** The name under which others may call it. */
  readonly exported?: string;
}

/** What a module is made of. Functions have their place as number. */
export interface WasmModule {
  readonly functions: readonly WasmFunction[];
}

/** The most pages of 64 KB that a memory has: 4 GiB. */
const MAX_PAGES = 65536;

/** The bytes of a module, which imports its memory as `host.memory`, shared between threads or not. */
export function encodeModule({ functions }: WasmModule, isShared: boolean): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  const section = (id: number, count: number, write: (to: ByteWriter) => void): void => {
    writer.byte(id);
    writer.sized((to) => {
      to.unsigned(count);
      write(to);
    });
  };
  writer.bytes([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  section(1, functions.length, (to) => {
    for (const { signature } of functions) {
      to.byte(0x60);
      for (const types of [signature.takes, signature.gives]) {
        to.unsigned(types.length);
        to.bytes(types);
      }
    }
  });
  section(2, 1, (to) => {
    text(to, "host");
    text(to, "memory");
    to.bytes([2, isShared ? 3 : 1, 1]);
    to.unsigned(MAX_PAGES);
  });
  section(3, functions.length, (to) => {
    functions.forEach((_, i) => {
      to.unsigned(i);
    });
  });
  section(7, functions.filter(({ exported }) => exported !== undefined).length, (to) => {
    functions.forEach(({ exported }, i) => {
      if (exported === undefined) return;
      text(to, exported);
      to.byte(0);
      to.unsigned(i);
    });
  });
  section(10, functions.length, (to) => {
    for (const { locals, code } of functions) {
      to.sized((body) => {
        const runs = runsOf(locals);
        body.unsigned(runs.length);
        for (const [type, count] of runs) {
          body.unsigned(count);
          body.byte(type);
        }
        body.bytes(code);
        body.byte(0x0b);
      });
    }
  });
  return writer.written();
}

function text(to: ByteWriter, s: string): void {
  to.unsigned(s.length);
  to.bytes([...s].map((character) => character.charCodeAt(0)));
}

/** Neighbouring equal types, and how many of them. */
function runsOf(types: readonly ValueType[]): [ValueType, number][] {
  const runs: [ValueType, number][] = [];
  for (const type of types) {
    const last = runs.at(-1);
    if (last?.[0] === type) last[1]++;
    else runs.push([type, 1]);
  }
  return runs;
}
