import { formatShape, type NestedArray } from "@gradus/core";
import type { GraphEdge, GraphNode } from "./graph.js";

/** `f32[2, 3]`. */
export function typeOf({ dtype, shape }: Pick<GraphNode, "dtype" | "shape">): string {
  return `${dtype}${formatShape(shape)}`;
}

/** What a node costs: `6 FLOP, 24 B`; empty for what computes nothing. */
export function costOf({ flops, bytes }: GraphNode): string {
  return [...(flops > 0 ? [count(flops, "FLOP")] : []), ...(bytes > 0 ? [count(bytes, "B")] : [])].join(", ");
}

/** A small value in full, of a large one its first elements; with no value the shape. */
export function valueText({ value, shape, dtype }: GraphEdge): string {
  return value === undefined ? typeOf({ shape, dtype }) : short(value);
}

function short(value: NestedArray): string {
  if (!Array.isArray(value)) return typeof value === "number" ? number(value) : String(value);
  const parts = value.slice(0, 4).map(short);
  return `[${parts.join(", ")}${value.length > 4 ? ", ..." : ""}]`;
}

function number(x: number): string {
  if (!Number.isFinite(x) || Number.isInteger(x)) return String(x);
  const rounded = Number(x.toPrecision(3));
  return Math.abs(rounded) < 1e-4 ? rounded.toExponential() : String(rounded);
}

function count(n: number, unit: string): string {
  const prefixes = ["", "k", "M", "G", "T"];
  let [value, power] = [n, 0];
  while (value >= 1000 && power < prefixes.length - 1) {
    value /= 1000;
    power++;
  }
  return `${Number(value.toPrecision(3))} ${prefixes[power]}${unit}`;
}
