import { type Buffer, type DType, fail } from "@gradus/core";
import type { Cells } from "./card.js";

/** Floats, or whole numbers in floats (i32 and bool). */
export type CellKind = "float" | "whole";

export function kindOf(dtype: DType): CellKind {
  return dtype === "f32" ? "float" : "whole";
}

/** What a buffer holds on the card. */
export interface OnCard {
  readonly cells: Cells;
  readonly kind: CellKind;
  /** The greatest magnitude of whole numbers. */
  readonly bound: number;
}

/** A buffer: on the host, on the card, or the same on both. */
export class WebglBuffer implements Buffer {
  isReleased = false;
  /** Its bytes, in the memory of the host's device; made when they are first needed. */
  host: Buffer | undefined;
  /** Whether `host` is what the buffer holds. */
  isOnHost = true;
  card: OnCard | undefined;
  /** The greatest magnitude of the host's bytes as whole numbers, once it is known. */
  bound: number | undefined;

  constructor(
    readonly bytes: number,
    /** The device that it belongs to. */
    readonly owner: object,
  ) {}

  get length(): number {
    return Math.floor(this.bytes / 4);
  }

  checkRange(what: string, at: number, bytes: number): void {
    if (at >= 0 && bytes >= 0 && at + bytes <= this.bytes) return;
    fail(
      "invalid-argument",
      `${what}: bytes ${at} to ${at + bytes} are not within the buffer, which has ${this.bytes} bytes`,
    );
  }
}
