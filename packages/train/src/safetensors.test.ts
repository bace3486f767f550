import { describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors, type HostTensor } from "./safetensors.js";

const tensors = new Map<string, HostTensor>([
  ["flags", { dtype: "bool", shape: [3], data: new Int32Array([1, 0, 1]) }],
  ["b.weight", { dtype: "f32", shape: [2, 2], data: new Float32Array([1.5, -0, Number.NaN, Infinity]) }],
  ["a.count", { dtype: "i32", shape: [], data: new Int32Array([-2147483648]) }],
  ["precise", { dtype: "f64", shape: [1, 2], data: new Float64Array([Math.PI, 5e-324]) }],
  ["empty", { dtype: "f32", shape: [0, 4], data: new Float32Array(0) }],
]);

/** A file of a header, as an object or text, and so many bytes of data. */
function file(header: unknown, data: number, length?: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (dtype: string, shape: unknown, begin: unknown, end: unknown) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe("a safetensors file", () => {
  it("gives back what was put in, to the last bit", () => {
    const decoded = decodeSafetensors(encodeSafetensors(tensors, { note: "ä" }));
    expect(decoded.metadata).toEqual({ note: "ä" });
    expect(new Map([...decoded.tensors].sort())).toEqual(new Map([...tensors].sort()));
    expect(Object.is(decoded.tensors.get("b.weight")?.data[1], -0)).toBe(true);
  });

  it("has the bytes that the format prescribes", () => {
    const one = new Map<string, HostTensor>([
      ["x", { dtype: "f32", shape: [1], data: new Float32Array([1]) }],
    ]);
    const bytes = encodeSafetensors(one, {});
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect((8 + length) % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
      __metadata__: {},
      x: { dtype: "F32", shape: [1], data_offsets: [0, 4] },
    });
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 0x80, 0x3f]);
  });

  it("aligns every tensor and stores bool in one byte", () => {
    const bytes = encodeSafetensors(tensors, {});
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header.precise.data_offsets).toEqual([0, 16]);
    expect(header["b.weight"].data_offsets).toEqual([16, 32]);
    expect(header.flags.data_offsets).toEqual([36, 39]);
  });

  it("stores f16 in two bytes", () => {
    const halves: HostTensor = { dtype: "f16", shape: [3], data: new Float32Array([1, -0.5, 65504]) };
    const bytes = encodeSafetensors(new Map([["x", halves]]), {});
    expect([...bytes.subarray(-6)]).toEqual([0x00, 0x3c, 0x00, 0xb8, 0xff, 0x7b]);
    expect(decodeSafetensors(bytes).tensors.get("x")).toEqual(halves);
  });

  it("does not depend on the order in which tensors come", () => {
    const reversed = new Map([...tensors].reverse());
    expect(encodeSafetensors(reversed, {})).toEqual(encodeSafetensors(tensors, {}));
  });

  it("is read wherever its bytes lie", () => {
    const bytes = encodeSafetensors(tensors, {});
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(decodeSafetensors(moved.subarray(3)).tensors.get("precise")?.data).toEqual(
      tensors.get("precise")?.data,
    );
  });
});

describe("a corrupt file", () => {
  const cases: [what: string, bytes: Uint8Array, message: string][] = [
    ["nothing", new Uint8Array(0), "it has 0 bytes"],
    ["a header that is too long", file({}, 0, 1000), "the header alone would end at 1008. Was it cut off?"],
    ["an absurd length", file({}, 0, 2 ** 50), "the header would have 1125899906842624 bytes"],
    ["no JSON", file("{not", 0), "the header is not JSON"],
    ["a list", file([], 0), "the header is not an object"],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }, 0), "__metadata__ is not a table of strings"],
    ["an entry that is none", file({ x: 1 }, 0), 'tensor "x" is not described by an object'],
    ["no dtype", file({ x: { shape: [], data_offsets: [0, 4] } }, 4), 'tensor "x" has no dtype'],
    ["a negative size", file({ x: entry("F32", [-1], 0, 4) }, 4), 'tensor "x" has no valid shape'],
    ["a wrong offset", file({ x: entry("F32", [1], 0, "4") }, 4), 'tensor "x" has no valid data_offsets'],
    ["a wrong size", file({ x: entry("F32", [2], 0, 4) }, 4), 'tensor "x", F32[2], needs 8 bytes and has 4'],
    ["an end before the beginning", file({ x: entry("F32", [1], 4, 0) }, 4), "needs 4 bytes and has -4"],
    [
      "an overlap",
      file({ x: entry("F32", [2], 0, 8), y: entry("F32", [2], 4, 12) }, 12),
      'tensor "y" begins at byte 4 of the data, inside of another tensor, which ends at 8',
    ],
    [
      "a hole",
      file({ x: entry("F32", [1], 0, 4), y: entry("F32", [1], 8, 12) }, 12),
      'tensor "y" begins at byte 8 of the data, after a hole that begins at 4',
    ],
    ["missing data", file({ x: entry("F32", [2], 0, 8) }, 4), "the data should have 8 bytes and has 4"],
    ["too much data", file({ x: entry("F32", [1], 0, 4) }, 5), "there are 1 bytes after the last tensor"],
  ];

  it.each(cases)("says what is wrong: %s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });

  it("is found wherever it is cut off", () => {
    const bytes = encodeSafetensors(tensors, { note: "n" });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length)), `${length} bytes`).toThrow(
        expect.objectContaining({ code: "corrupt-file" }),
      );
    }
  });

  it("is not what a dtype of another library makes", () => {
    const bytes = file({ x: entry("BF16", [1], 0, 2) }, 2);
    expect(() => decodeSafetensors(bytes)).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(() => decodeSafetensors(bytes)).toThrow('tensor "x" has the dtype BF16');
  });
});
