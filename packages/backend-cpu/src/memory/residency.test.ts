import { describe, expect, it } from "vitest";
import type { CpuBuffer } from "./cpu-buffer.js";
import { LinearMemory } from "./linear-memory.js";
import { Residency } from "./residency.js";

const MEGABYTE = 2 ** 20;
const outOfMemory = expect.objectContaining({ code: "out-of-memory" });

/** A memory that may grow to `limit` bytes. */
function residencyOf(limit = Number.POSITIVE_INFINITY): Residency {
  const memory = new LinearMemory(false);
  const reach = memory.reach.bind(memory);
  memory.reach = (end) => end <= limit && reach(end);
  return new Residency(memory, { start: 16384, end: 65536 });
}

/** One launch that writes `value` to every word of a buffer. */
function fill(on: Residency, buffer: CpuBuffer, value: number): void {
  on.beginRun();
  on.beginLaunch();
  const at = on.place(buffer) / 4;
  on.memory.words.fill(value, at, at + buffer.bytes / 4);
  on.wrote(buffer, `written by "fill ${value}"`);
  on.endRun();
}

const wordsOf = (on: Residency, buffer: CpuBuffer): Set<number> =>
  new Set(new Int32Array(on.read(buffer, 0, buffer.bytes)));

describe.each([
  ["small", 64],
  ["large", 4096],
])("%s buffers", (_, bytes) => {
  it("keep what is written to them from the host and by kernels, kept or not", () => {
    const on = residencyOf();
    const buffers = Array.from({ length: 50 }, () => on.alloc(bytes));
    buffers.forEach((buffer, k) => {
      if (k % 3 === 0) on.keep(buffer);
      if (k % 2 === 0) fill(on, buffer, k);
      else on.write(buffer, new Int32Array(bytes / 4).fill(k), 0);
      if (k % 5 === 0) on.keep(buffer);
    });
    buffers.forEach((buffer, k) => {
      expect(wordsOf(on, buffer)).toEqual(new Set([k]));
      on.write(buffer, new Int32Array([-1]), 4);
      expect([...new Int32Array(on.read(buffer, 0, 12))]).toEqual([k, -1, k]);
      fill(on, buffer, k + 1);
      expect(wordsOf(on, buffer)).toEqual(new Set([k + 1]));
    });
  });

  it("see in a launch what the host wrote after the last one", () => {
    const on = residencyOf();
    const buffer = on.alloc(bytes);
    fill(on, buffer, 1);
    on.read(buffer, 0, bytes);
    on.write(buffer, new Int32Array(bytes / 4).fill(2), 0);
    on.beginRun();
    on.beginLaunch();
    expect(on.memory.words[on.place(buffer) / 4]).toBe(2);
    on.endRun();
  });
});

it("copies results out when their place is needed, and only then", () => {
  const on = residencyOf(16 * MEGABYTE);
  // More than there is room for.
  const buffers = Array.from({ length: 40 }, () => on.alloc(MEGABYTE));
  for (const [k, buffer] of buffers.entries()) fill(on, buffer, k);
  for (const [k, buffer] of buffers.entries()) expect(wordsOf(on, buffer)).toEqual(new Set([k]));
  expect(buffers.filter(({ block }) => block !== undefined).length).toBeGreaterThan(8);
  expect(on.memory.size).toBeLessThan(32 * MEGABYTE);
});

it("uses freed memory again", () => {
  const on = residencyOf();
  for (let k = 0; k < 200; k++) {
    const buffers = [3, 1, 2].map((size) => on.alloc(size * MEGABYTE));
    for (const buffer of buffers) {
      on.keep(buffer);
      fill(on, buffer, k);
    }
    for (const buffer of buffers) on.free(buffer);
  }
  expect(on.memory.size).toBeLessThan(16 * MEGABYTE);
  expect(on.usage()).toEqual({ buffers: 0, bytes: 0 });
});

it("names the largest buffers when memory is out, and goes on", () => {
  const on = residencyOf(16 * MEGABYTE);
  const [large, small] = [on.alloc(9 * MEGABYTE), on.alloc(MEGABYTE)] as [CpuBuffer, CpuBuffer];
  for (const buffer of [large, small]) {
    on.keep(buffer);
    fill(on, buffer, 7);
  }
  const more = on.alloc(8 * MEGABYTE);
  on.keep(more);
  expect(() => fill(on, more, 8)).toThrow(outOfMemory);
  expect(() => fill(on, more, 8)).toThrow(
    /8388608 bytes do not fit.*The largest in WebAssembly memory: 9437184 bytes \(written by "fill 7"\), 1048576 bytes/,
  );
  on.free(large);
  fill(on, more, 8);
  expect([wordsOf(on, more), wordsOf(on, small)]).toEqual([new Set([8]), new Set([7])]);
});
