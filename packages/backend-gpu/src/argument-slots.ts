import { usage } from "./usage.js";

/** Where the arguments of a program's dispatches lie. */
export interface Slots {
  readonly buffer: GPUBuffer;
  /** Tells this buffer from others. */
  readonly bufferId: number;
  readonly at: number;
  readonly count: number;
}

const SLOTS_A_BUFFER = 256;

/** Hands out slots of uniform buffers. A dispatch has one or a few, at an offset that is given when it is recorded. */
export class ArgumentSlots {
  private current: { buffer: GPUBuffer; id: number; next: number } | undefined;
  private readonly free = new Map<number, Slots[]>();
  private readonly buffers: GPUBuffer[] = [];
  readonly bytes: number;

  constructor(private readonly device: GPUDevice) {
    this.bytes = Math.max(256, device.limits.minUniformBufferOffsetAlignment);
  }

  take(count: number): Slots {
    const known = this.free.get(count)?.pop();
    if (known !== undefined) return known;
    if (count > SLOTS_A_BUFFER) {
      const { buffer, id } = this.make(count);
      return { buffer, bufferId: id, at: 0, count };
    }
    if (this.current === undefined || this.current.next + count > SLOTS_A_BUFFER) {
      this.current = { ...this.make(SLOTS_A_BUFFER), next: 0 };
    }
    const { buffer, id, next } = this.current;
    this.current.next += count;
    return { buffer, bufferId: id, at: next * this.bytes, count };
  }

  give(slots: Slots): void {
    const list = this.free.get(slots.count);
    if (list === undefined) this.free.set(slots.count, [slots]);
    else list.push(slots);
  }

  destroy(): void {
    for (const buffer of this.buffers) buffer.destroy();
  }

  private make(slots: number): { buffer: GPUBuffer; id: number } {
    const buffer = this.device.createBuffer({
      label: "gradus arguments",
      size: slots * this.bytes,
      usage: usage.uniform | usage.copyTarget,
    });
    this.buffers.push(buffer);
    return { buffer, id: this.buffers.length };
  }
}
