import { tensor } from "@gradus/tensor";
import type { Data } from "./data.js";

/** Points of the plane in three overlapping groups, the same each time; `shift` gives others. */
export function blobs(rows: number, shift = 0): Data {
  const x = new Float32Array(rows * 2);
  const y = new Int32Array(rows);
  for (let i = 0; i < rows; i++) {
    const group = (i * 7 + shift) % 3;
    const angle = (2 * Math.PI * group) / 3;
    y[i] = group;
    x[2 * i] = Math.cos(angle) + 0.8 * Math.sin((i + shift) * 12.9898);
    x[2 * i + 1] = Math.sin(angle) + 0.8 * Math.sin((i + shift) * 78.233 + 1);
  }
  return { x: tensor(x, { shape: [rows, 2] }), y: tensor(y) };
}
