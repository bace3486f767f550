import type { LinearMemory } from "./memory/linear-memory.js";
import { encodeModule, type WasmModule } from "./wasm/encode.js";

/** A function that runs a part of a phase. */
export type PhaseFunction = (args: number, part: number, parts: number) => number;

/** A module on the device's memory. */
export interface LoadedModule {
  readonly exports: Readonly<Record<string, PhaseFunction>>;
  /** For other threads to load it too. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Loads modules, each once. */
export class Loader {
  private readonly loaded = new WeakMap<WasmModule, LoadedModule>();

  constructor(private readonly memory: LinearMemory) {}

  load(module: WasmModule): LoadedModule {
    let loaded = this.loaded.get(module);
    if (loaded === undefined) {
      const bytes = encodeModule(module, this.memory.isShared);
      const functions = module.imports.map(({ name, run }) => [name, run]);
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        host: { ...Object.fromEntries(functions), memory: this.memory.memory },
      });
      loaded = { exports: instance.exports as unknown as LoadedModule["exports"], bytes };
      this.loaded.set(module, loaded);
    }
    return loaded;
  }
}
