import { expect, it } from "vitest";
import { expectCode, expectRejection } from "./expect-code.js";
import type { Subject } from "./subject.js";
import { count, edgeSizes, wholeNumbers } from "./values.js";

/** Buffers: what is written is read, what is freed is gone, and the books are right. */
export function memory(subject: Subject): void {
  it.each(edgeSizes)("reads back what was written to a buffer of %i elements", async (n) => {
    const values = wholeNumbers(n, 1e6);
    expect(await subject.values("f32", subject.buffer("f32", values))).toEqual(values);
  });

  it("keeps every bit", async () => {
    const { device } = subject;
    const words = new Uint32Array([0x7fc12345, 0xffc00001, 0x80000000, 0x00000001, 0xffffffff, 0x7f800000]);
    const buffer = subject.room("f32", words.length);
    device.write(buffer, words);
    expect([...new Uint32Array(await device.read(buffer))]).toEqual([...words]);
  });

  it("writes at an offset and leaves the rest alone", async () => {
    const buffer = subject.buffer("i32", count(8));
    subject.device.write(buffer, new Int32Array([70, 80]), 3 * 4);
    expect(await subject.values("i32", buffer)).toEqual([0, 1, 2, 70, 80, 5, 6, 7]);
  });

  it("reads a part", async () => {
    const { device } = subject;
    const buffer = subject.buffer("i32", count(8));
    expect([...new Int32Array(await device.read(buffer, 2 * 4, 3 * 4))]).toEqual([2, 3, 4]);
    expect([...new Int32Array(await device.read(buffer, 6 * 4))]).toEqual([6, 7]);
    expect((await device.read(buffer, 4 * 4, 0)).byteLength).toBe(0);
  });

  it("writes a view of a larger array", async () => {
    const buffer = subject.room("f32", 3);
    subject.device.write(buffer, new Float32Array([9, 1, 2, 3, 9]).subarray(1, 4));
    expect(await subject.values("f32", buffer)).toEqual([1, 2, 3]);
  });

  it("takes any array view", async () => {
    const buffer = subject.room("f32", 2);
    const view = new DataView(new ArrayBuffer(12), 4, 8);
    view.setFloat32(0, 1.5, true);
    view.setFloat32(4, -2.5, true);
    subject.device.write(buffer, view);
    expect(await subject.values("f32", buffer)).toEqual([1.5, -2.5]);
  });

  it("has copied the data when write returns", async () => {
    const data = new Float32Array([1, 2, 3]);
    const buffer = subject.room("f32", 3);
    subject.device.write(buffer, data);
    data.fill(0);
    expect(await subject.values("f32", buffer)).toEqual([1, 2, 3]);
  });

  it("gives each read memory of its own", async () => {
    const buffer = subject.buffer("f32", [1, 2]);
    const first = new Float32Array(await subject.device.read(buffer));
    first.fill(9);
    expect(await subject.values("f32", buffer)).toEqual([1, 2]);
  });

  it("reads without waiting what it reads with waiting, if it can", async () => {
    const { device } = subject;
    const buffer = subject.buffer("f32", [1, 2, 3]);
    const now = device.readSync?.(buffer, 4, 8) ?? (await device.read(buffer, 4, 8));
    expect([...new Float32Array(now)]).toEqual([2, 3]);
  });

  it("keeps buffers apart", async () => {
    const buffers = count(20).map((k) => subject.buffer("f32", [k, k + 0.5, -k]));
    for (const k of count(20)) {
      expect(await subject.values("f32", buffers[k] as (typeof buffers)[0])).toEqual([k, k + 0.5, -k]);
    }
  });

  it("says what a buffer's size is", () => {
    expect(subject.room("f32", 5).bytes).toBe(20);
    expect(subject.room("f32", 0).bytes).toBe(0);
  });

  it("counts what is allocated and what is given back", () => {
    const before = subject.device.memory();
    const buffer = subject.room("f32", 1000);
    const empty = subject.room("f32", 0);
    expect(subject.device.memory().buffers).toBe(before.buffers + 2);
    expect(subject.device.memory().bytes).toBeGreaterThanOrEqual(before.bytes + 4000);
    subject.free(buffer);
    subject.free(empty);
    expect(subject.device.memory()).toEqual(before);
  });

  it("refuses a freed buffer", async () => {
    const { device } = subject;
    const buffer = subject.buffer("f32", [1]);
    subject.free(buffer);
    await expectRejection(async () => device.read(buffer), "disposed");
    expectCode(() => device.write(buffer, new Float32Array(1)), "disposed");
    expectCode(() => device.free(buffer), "disposed");
  });

  it("refuses reads and writes beyond the end", async () => {
    const { device } = subject;
    const buffer = subject.buffer("f32", [1, 2]);
    expectCode(() => device.write(buffer, new Float32Array(3)), "invalid-argument");
    expectCode(() => device.write(buffer, new Float32Array(1), 8), "invalid-argument");
    await expectRejection(async () => device.read(buffer, 4, 8), "invalid-argument");
    expect(await subject.values("f32", buffer)).toEqual([1, 2]);
  });

  it("refuses sizes that are none, or beyond its limit", () => {
    const { device } = subject;
    for (const bytes of [-4, 1.5, Number.NaN]) expectCode(() => device.alloc(bytes), "invalid-argument");
    const { maxBufferBytes } = device.caps;
    if (Number.isFinite(maxBufferBytes)) expectCode(() => device.alloc(maxBufferBytes + 8), "out-of-memory");
  });

  it("refuses buffers of another device", async () => {
    const { device } = subject;
    const other = await subject.another();
    const foreign = other.alloc(4);
    expectCode(() => device.write(foreign, new Float32Array(1)), "device-mismatch");
    await expectRejection(async () => device.read(foreign), "device-mismatch");
    expectCode(() => device.free(foreign), "device-mismatch");
    await other.dispose();
  });
}
