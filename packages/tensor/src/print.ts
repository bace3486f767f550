import { formatShape, type NestedArray } from "@gradus/core";
import type { GradusTensor } from "./gradus-tensor.js";
import { nest } from "./host.js";

const EDGE = 3;
const SUMMARISE_ABOVE = 1000;

/** A tensor as the console shows it: `Tensor f32[3] [2, 4, 6]`. Long axes are shortened in the middle. */
export function formatTensor(x: GradusTensor): string {
  const head = `Tensor ${x.dtype}${formatShape(x.shape)}`;
  if (x.gone !== undefined) return `${head} (${x.gone})`;
  if (x.value.kind === "batched") return `${head} (one of ${x.value.map.size} in vmap)`;
  if (x.traced) return `${head} (traced)`;
  if (x.device.readSync === undefined) return `${head} (on ${x.device.name}: await x.read())`;
  const values = nest(x.data(), x.shape, x.dtype === "bool");
  const edge = x.size > SUMMARISE_ABOVE ? EDGE : Number.POSITIVE_INFINITY;
  const separator = x.ndim > 1 ? "\n" : " ";
  return `${head}${separator}${formatNested(values, edge, "")}`;
}

function formatNested(value: NestedArray, edge: number, indent: string): string {
  if (!Array.isArray(value)) return formatNumber(value as number | boolean);
  const inner = `${indent} `;
  const parts =
    value.length > 2 * edge
      ? [
          ...value.slice(0, edge).map((v) => formatNested(v, edge, inner)),
          "...",
          ...value.slice(-edge).map((v) => formatNested(v, edge, inner)),
        ]
      : value.map((v) => formatNested(v, edge, inner));
  const isRow = !Array.isArray(value[0]);
  return `[${parts.join(isRow ? ", " : `,\n${inner}`)}]`;
}

/** Up to four decimals, exponents where the number is very large or small. */
function formatNumber(value: number | boolean): string {
  if (typeof value === "boolean" || !Number.isFinite(value) || Number.isInteger(value)) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(4).replace(/\.?0+e/, "e");
  return String(Number(value.toFixed(4)));
}
