import type { Backend, Buffer, DType } from "@gradus/core";
import type { Card, Cells } from "./card.js";
import { kindOf, type OnCard, type WebglBuffer } from "./webgl-buffer.js";

/** Brings what buffers hold to where it is needed, when it is. */
export class Residency {
  constructor(
    private readonly card: Card,
    private readonly host: Backend,
  ) {}

  /** The buffer's memory on the host, holding what the buffer holds. */
  onHost(buffer: WebglBuffer): Buffer {
    const memory = this.memoryOf(buffer);
    if (buffer.isOnHost) return memory;
    const { cells, kind } = buffer.card as OnCard;
    const values = this.card.download(cells);
    this.host.write(memory, kind === "float" ? values : Int32Array.from(values));
    buffer.isOnHost = true;
    buffer.bound = undefined;
    return memory;
  }

  /** What the buffer holds, on the card. */
  onCard(buffer: WebglBuffer, dtype: DType): Cells {
    const kind = kindOf(dtype);
    if (buffer.card?.kind === kind) return buffer.card.cells;
    const bytes = this.bytesOf(buffer);
    const values = kind === "float" ? new Float32Array(bytes) : Float32Array.from(new Int32Array(bytes));
    // There is no texture of nothing.
    const cells = this.card.upload(values.length > 0 ? values : new Float32Array(1));
    const bound = kind === "float" ? Infinity : this.boundOf(buffer);
    this.forgetCard(buffer);
    buffer.card = { cells, kind, bound };
    return cells;
  }

  /** The greatest magnitude of a buffer's whole numbers. */
  boundOf(buffer: WebglBuffer): number {
    if (buffer.card?.kind === "whole") return buffer.card.bound;
    if (buffer.bound !== undefined) return buffer.bound;
    let bound = 0;
    for (const value of new Int32Array(this.bytesOf(buffer))) bound = Math.max(bound, Math.abs(value));
    buffer.bound = bound;
    return bound;
  }

  /** The buffer now holds this, which a kernel made. */
  setCard(buffer: WebglBuffer, card: OnCard): void {
    this.forgetCard(buffer);
    buffer.card = card;
    buffer.isOnHost = false;
    buffer.bound = undefined;
  }

  /** The buffer's memory on the host, about to be changed there. */
  changeOnHost(buffer: WebglBuffer, isWhole: boolean): Buffer {
    const memory = isWhole ? this.memoryOf(buffer) : this.onHost(buffer);
    this.forgetCard(buffer);
    buffer.isOnHost = true;
    buffer.bound = undefined;
    return memory;
  }

  release(buffer: WebglBuffer): void {
    this.forgetCard(buffer);
    if (buffer.host !== undefined) this.host.free(buffer.host);
    buffer.host = undefined;
    buffer.isReleased = true;
  }

  private forgetCard(buffer: WebglBuffer): void {
    if (buffer.card !== undefined) this.card.free(buffer.card.cells);
    buffer.card = undefined;
  }

  private bytesOf(buffer: WebglBuffer): ArrayBuffer {
    const memory = this.onHost(buffer);
    return this.host.readSync?.(memory, 0, 4 * buffer.length) as ArrayBuffer;
  }

  private memoryOf(buffer: WebglBuffer): Buffer {
    buffer.host ??= this.host.alloc(buffer.bytes);
    return buffer.host;
  }
}
