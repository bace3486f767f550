import { Loader } from "./loader.js";
import type { Block } from "./memory/allocator.js";
import { LinearMemory } from "./memory/linear-memory.js";
import { Residency } from "./memory/residency.js";
import { CONTROL_BYTES } from "./threads/control.js";
import { Pool, type PoolOptions } from "./threads/pool.js";

/** Where the arguments of a launch are, if they are not many. */
const ARGUMENTS = Math.ceil(CONTROL_BYTES / 4096) * 4096;
const SMALL_BUFFERS = { start: 16384, end: 65536 };

/** What launches run on: memory, the modules loaded on it, and threads. */
export class Machine {
  readonly memory: LinearMemory;
  readonly residency: Residency;
  readonly loader: Loader;
  /** Other threads, if there may be any. */
  readonly pool: Pool | undefined;
  /** The most parts of a phase. */
  readonly threads: number;
  private scratchBlock: Block | undefined;
  private argumentBlock: Block | undefined;

  constructor(options: PoolOptions) {
    this.memory = new LinearMemory(options.threads > 1);
    const { isShared } = this.memory;
    this.threads = isShared ? options.threads : 1;
    this.residency = new Residency(this.memory, SMALL_BUFFERS);
    this.loader = new Loader(this.memory, this.residency);
    this.pool = isShared ? new Pool(this.memory, options) : undefined;
  }

  /** The address of memory that a launch may use as it likes. Launches follow each other, so they share it. */
  scratch(bytes: number): number {
    if (bytes === 0) return 0;
    this.scratchBlock = this.atLeast(bytes, this.scratchBlock, "scratch memory of kernels");
    return this.scratchBlock.address;
  }

  /** The address of a block of arguments. Launches share this too. */
  arguments(bytes: number): number {
    if (bytes <= SMALL_BUFFERS.start - ARGUMENTS) return ARGUMENTS;
    this.argumentBlock = this.atLeast(bytes, this.argumentBlock, "arguments of kernels");
    return this.argumentBlock.address;
  }

  private atLeast(bytes: number, block: Block | undefined, label: string): Block {
    if (block !== undefined && block.bytes >= bytes) return block;
    const larger = this.residency.reserve(bytes, label);
    if (block !== undefined) this.residency.release(block);
    return larger;
  }
}
