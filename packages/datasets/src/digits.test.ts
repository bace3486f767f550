import { expect, it } from "vitest";
import { readDataFile } from "./data-file.js";
import { digits } from "./digits.js";

// IDX: a magic number whose last byte counts the dimensions, each dimension as a big-endian int32, then the bytes.
function idx(file: string): { dimensions: number[]; bytes: Uint8Array } {
  const bytes = readDataFile(file);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = Array.from({ length: view.getUint8(3) }, (_, i) => view.getInt32(4 + 4 * i));
  return { dimensions, bytes: bytes.subarray(4 + 4 * dimensions.length) };
}

it("digits' features are the pixels of the IDX file", () => {
  const images = idx("digits-images-idx3-ubyte");
  expect(images.dimensions).toEqual([1797, 8, 8]);
  expect(digits().x).toEqual(Float32Array.from(images.bytes));
});

it("digits' targets are the labels of the IDX file", () => {
  const labels = idx("digits-labels-idx1-ubyte");
  expect(labels.dimensions).toEqual([1797]);
  expect(digits().y).toEqual(Int32Array.from(labels.bytes));
});
