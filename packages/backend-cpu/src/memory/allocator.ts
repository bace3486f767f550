/** Vectors at the start of a block do not cross a cache line, and no two threads write to one. */
const UNIT = 64;
/** Size classes for each power of two of units. */
const STEPS = 8;

/** A range of memory. Free ones are in the list of their size class. */
export class Block {
  isFree = false;
  /** What it holds, for messages. */
  label = "";
  /** The neighbours in memory. */
  before: Block | undefined;
  after: Block | undefined;
  /** The neighbours in the list of free blocks. */
  previous: Block | undefined;
  next: Block | undefined;

  constructor(
    public address: number,
    public bytes: number,
  ) {}
}

/**
 * Hands out ranges of memory, of which there are more behind `end` if `reach` says so. A block comes from the smallest size
 * class that surely fits; what is left over, and neighbours that are free, are joined and used again.
 */
export class Allocator {
  private readonly free: (Block | undefined)[] = [];
  private first: Block | undefined;
  private last: Block | undefined;
  private used = 0;

  constructor(
    private end: number,
    private readonly reach: (end: number) => boolean,
  ) {}

  /** Bytes in blocks that are handed out. */
  get usedBytes(): number {
    return this.used;
  }

  /** A block of at least `bytes` bytes, or undefined if there is no room. */
  allocate(bytes: number, label = ""): Block | undefined {
    const size = Math.max(1, Math.ceil(bytes / UNIT)) * UNIT;
    const block = this.find(size) ?? this.extend(size);
    if (block === undefined) return undefined;
    block.label = label;
    this.split(block, size);
    this.used += block.bytes;
    return block;
  }

  release(block: Block): void {
    if (block.isFree) throw new Error("a block was released twice");
    this.used -= block.bytes;
    const { before, after } = block;
    let whole = block;
    if (before?.isFree === true) {
      this.unlist(before);
      this.join(before, block);
      whole = before;
    }
    if (after?.isFree === true) {
      this.unlist(after);
      this.join(whole, after);
    }
    this.list(whole);
  }

  /** The largest blocks that are handed out. */
  largest(count: number): Block[] {
    const blocks: Block[] = [];
    for (let block = this.first; block !== undefined; block = block.after) {
      if (!block.isFree) blocks.push(block);
    }
    return blocks.sort((a, b) => b.bytes - a.bytes).slice(0, count);
  }

  private find(size: number): Block | undefined {
    const own = classOf(size);
    // The first of the same class may be too small, any of a larger class is not.
    const first = this.free[own];
    if (first !== undefined && first.bytes >= size) return this.unlist(first);
    for (let k = own + 1; k < this.free.length; k++) {
      const block = this.free[k];
      if (block !== undefined) return this.unlist(block);
    }
    for (let block = first?.next; block !== undefined; block = block.next) {
      if (block.bytes >= size) return this.unlist(block);
    }
    return undefined;
  }

  /** Takes memory that was never used, and the free block before it. */
  private extend(size: number): Block | undefined {
    const { last } = this;
    const tail = last?.isFree === true ? last : undefined;
    const missing = size - (tail?.bytes ?? 0);
    if (!this.reach(this.end + missing)) return undefined;
    const address = this.end;
    this.end += missing;
    if (tail !== undefined) {
      this.unlist(tail);
      tail.bytes += missing;
      return tail;
    }
    const block = new Block(address, size);
    block.before = last;
    if (last === undefined) this.first = block;
    else last.after = block;
    this.last = block;
    return block;
  }

  private split(block: Block, size: number): void {
    if (block.bytes === size) return;
    const rest = new Block(block.address + size, block.bytes - size);
    block.bytes = size;
    rest.before = block;
    rest.after = block.after;
    if (rest.after !== undefined) rest.after.before = rest;
    else this.last = rest;
    block.after = rest;
    this.list(rest);
  }

  /** Makes two neighbours one. */
  private join(block: Block, after: Block): void {
    block.bytes += after.bytes;
    block.after = after.after;
    if (block.after !== undefined) block.after.before = block;
    else this.last = block;
  }

  private list(block: Block): void {
    const k = classOf(block.bytes);
    const first = this.free[k];
    while (this.free.length <= k) this.free.push(undefined);
    block.isFree = true;
    block.previous = undefined;
    block.next = first;
    if (first !== undefined) first.previous = block;
    this.free[k] = block;
  }

  private unlist(block: Block): Block {
    const { previous, next } = block;
    if (previous !== undefined) previous.next = next;
    else this.free[classOf(block.bytes)] = next;
    if (next !== undefined) next.previous = previous;
    block.previous = undefined;
    block.next = undefined;
    block.isFree = false;
    return block;
  }
}

/** Sizes of up to eight units have a class each; above, each power of two has eight. */
function classOf(bytes: number): number {
  const units = bytes / UNIT;
  if (units < STEPS) return units;
  const exponent = 31 - Math.clz32(units);
  return (exponent - 2) * STEPS + Math.floor(units / 2 ** (exponent - 3)) - STEPS;
}
