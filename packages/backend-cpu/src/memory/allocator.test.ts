import { describe, expect, it } from "vitest";
import { Allocator, type Block } from "./allocator.js";

const KB = 1024;

describe("Allocator", () => {
  it("hands out blocks that do not overlap, aligned to cache lines, whatever the order of their release", () => {
    let reached = 0;
    const allocator = new Allocator(64 * KB, (end) => {
      reached = Math.max(reached, end);
      return true;
    });
    let seed = 1;
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % n;
    };
    const live: Block[] = [];
    for (let step = 0; step < 5000; step++) {
      if (live.length > 0 && random(2) === 0) {
        allocator.release(live.splice(random(live.length), 1)[0] as Block);
      } else {
        const wanted = 1 + random(1 << random(18));
        const block = allocator.allocate(wanted) as Block;
        expect(block.address % 64).toBe(0);
        expect(block.bytes).toBeGreaterThanOrEqual(wanted);
        live.push(block);
      }
      if (step % 50 !== 0) continue;
      const sorted = [...live].sort((a, b) => a.address - b.address);
      sorted.forEach((block, i) => {
        const end = block.address + block.bytes;
        expect(end).toBeLessThanOrEqual(sorted[i + 1]?.address ?? reached);
      });
      expect(allocator.usedBytes).toBe(live.reduce((sum, block) => sum + block.bytes, 0));
    }
    for (const block of live) allocator.release(block);
    expect(allocator.usedBytes).toBe(0);
    // All of it is one free block again.
    const before = reached;
    expect(allocator.allocate(before - 64 * KB)?.address).toBe(64 * KB);
    expect(reached).toBe(before);
  });

  it("uses what was released before it asks for more", () => {
    let reached = 0;
    const allocator = new Allocator(0, (end) => {
      reached = end;
      return true;
    });
    for (let k = 0; k < 1000; k++) {
      const blocks = [100 * KB, 3 * KB, 70 * KB].map((bytes) => allocator.allocate(bytes) as Block);
      for (const block of blocks) allocator.release(block);
    }
    expect(reached).toBe(173 * KB);
  });

  it("takes the free end of the memory into account when it asks for more", () => {
    let reached = 0;
    const allocator = new Allocator(0, (end) => {
      reached = end;
      return true;
    });
    allocator.release(allocator.allocate(10 * KB) as Block);
    allocator.allocate(15 * KB);
    expect(reached).toBe(15 * KB);
  });

  it("gives nothing where there is no room, and goes on", () => {
    const allocator = new Allocator(0, (end) => end <= 10 * KB);
    const first = allocator.allocate(8 * KB, "the first") as Block;
    expect(allocator.allocate(4 * KB)).toBeUndefined();
    expect(allocator.largest(3).map(({ label, bytes }) => [label, bytes])).toEqual([["the first", 8 * KB]]);
    allocator.release(first);
    expect(allocator.allocate(10 * KB)?.address).toBe(0);
  });
});
