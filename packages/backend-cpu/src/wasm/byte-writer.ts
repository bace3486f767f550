/** Bytes that are written one after another. */
export class ByteWriter {
  private content = new Uint8Array(1024);
  private length = 0;

  byte(value: number): void {
    if (this.length === this.content.length) this.reserve(1);
    this.content[this.length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    if (this.length + values.length > this.content.length) this.reserve(values.length);
    this.content.set(values, this.length);
    this.length += values.length;
  }

  /** A whole number of at least 0 as LEB128. */
  unsigned(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  /** An i32 as signed LEB128. */
  signed(value: number): void {
    let rest = value;
    for (; rest < -0x40 || rest >= 0x40; rest >>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest & 0x7f);
  }

  f32(value: number): void {
    SCRATCH.setFloat32(0, value, true);
    for (let k = 0; k < 4; k++) this.byte(SCRATCH.getUint8(k));
  }

  f64(value: number): void {
    SCRATCH.setFloat64(0, value, true);
    for (let k = 0; k < 8; k++) this.byte(SCRATCH.getUint8(k));
  }

  i32(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((value >>> shift) & 0xff);
  }

  /** Bytes behind their number, for which there are always five bytes: it is known afterwards. */
  sized(write: (writer: ByteWriter) => void): void {
    const start = this.length;
    for (let k = 0; k < 5; k++) this.byte(0);
    write(this);
    let rest = this.length - start - 5;
    for (let k = 0; k < 5; k++, rest >>>= 7) this.content[start + k] = (rest & 0x7f) | (k < 4 ? 0x80 : 0);
  }

  written(): Uint8Array<ArrayBuffer> {
    return this.content.subarray(0, this.length);
  }

  private reserve(more: number): void {
    const larger = new Uint8Array(2 * (this.length + more));
    larger.set(this.written());
    this.content = larger;
  }
}

const SCRATCH = new DataView(new ArrayBuffer(8));
