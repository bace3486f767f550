import type { Block } from "./memory/allocator.js";
import type { LinearMemory } from "./memory/linear-memory.js";
import type { Residency } from "./memory/residency.js";
import type { SplitPhase } from "./threads/pool.js";
import { encodeModule, type WasmModule } from "./wasm/encode.js";

/** A function that runs a part of a phase. */
export type PhaseFunction = (args: number, part: number, parts: number) => number;

/** A module on the device's memory. */
interface LoadedModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly exports: Readonly<Record<string, PhaseFunction>>;
  /** Its number for other threads, and where they find its bytes, once they need them. */
  readonly id: number;
  code?: Block;
  readonly records: Map<string, SplitPhase>;
}

/** Loads modules, each once. */
export class Loader {
  private readonly loaded = new WeakMap<WasmModule, LoadedModule>();
  private nextId = 1;
  private readonly collected = new FinalizationRegistry<Block>((block) => this.residency.release(block));

  constructor(
    private readonly memory: LinearMemory,
    private readonly residency: Residency,
  ) {}

  /** An exported function of a module. */
  load(module: WasmModule, entry: string): PhaseFunction {
    return this.moduleOf(module).exports[entry] as PhaseFunction;
  }

  /** The same, where other threads can find it. */
  loadForAll(module: WasmModule, entry: string): SplitPhase {
    const loaded = this.moduleOf(module);
    let phase = loaded.records.get(entry);
    if (phase === undefined) {
      loaded.code ??= this.place(loaded, loaded.bytes);
      const name = new TextEncoder().encode(entry);
      const words = new Int32Array([loaded.id, loaded.code.address, loaded.bytes.length, name.length]);
      const record = this.place(loaded, new Uint8Array([...new Uint8Array(words.buffer), ...name]));
      phase = { run: this.load(module, entry), id: this.nextId++, record: record.address };
      loaded.records.set(entry, phase);
    }
    return phase;
  }

  private moduleOf(module: WasmModule): LoadedModule {
    let loaded = this.loaded.get(module);
    if (loaded === undefined) {
      const bytes = encodeModule(module, this.memory.isShared);
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        host: { memory: this.memory.memory },
      });
      loaded = {
        bytes,
        exports: exports as unknown as LoadedModule["exports"],
        id: this.nextId++,
        records: new Map(),
      };
      this.loaded.set(module, loaded);
    }
    return loaded;
  }

  /** Puts bytes into the memory for as long as the module is in use. */
  private place(owner: LoadedModule, bytes: Uint8Array): Block {
    const block = this.residency.reserve(bytes.length, "code of kernels");
    this.memory.bytes.set(bytes, block.address);
    this.collected.register(owner, block);
    return block;
  }
}
