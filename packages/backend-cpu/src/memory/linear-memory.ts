const PAGE = 65536;
/** One page less than 4 GiB, so that the end of a buffer still is a number of 32 bits. */
const MAX_BYTES = 2 ** 32 - PAGE;
/** Generated code reads whole vectors and rows of them, up to so many bytes behind the end of a buffer. */
const READ_AHEAD = 256;

/** The memory that generated code works on, and views of all of it, which are made anew when it grows. It never shrinks. */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  bytes!: Uint8Array;
  words!: Int32Array;
  doubles!: Float64Array;

  /** Whether other threads see it. Not where the host refuses the 4 GiB of addresses that this needs. */
  readonly isShared: boolean;

  constructor(wantsShared: boolean) {
    const shared = wantsShared ? create(true) : undefined;
    this.memory = shared ?? (create(false) as WebAssembly.Memory);
    this.isShared = shared !== undefined;
    this.view();
  }

  get size(): number {
    return this.bytes.length;
  }

  /** Makes room for addresses below `end`. Gives false where the host or the limit of 4 GiB refuses. */
  reach(end: number): boolean {
    const { size } = this;
    const wanted = end + READ_AHEAD;
    if (wanted <= size) return true;
    if (wanted > MAX_BYTES) return false;
    // By half of what there is, so that a program that grows bit by bit does not grow each time.
    return this.grow(Math.min(MAX_BYTES, Math.max(wanted, size * 1.5))) || this.grow(wanted);
  }

  private grow(end: number): boolean {
    try {
      this.memory.grow(Math.ceil((end - this.size) / PAGE));
    } catch {
      return false;
    }
    this.view();
    return true;
  }

  private view(): void {
    const { buffer } = this.memory;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }
}

function create(shared: boolean): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: 16, maximum: MAX_BYTES / PAGE, shared });
  } catch (error) {
    if (shared) return undefined;
    throw error;
  }
}
