/** Bytes that are written one after another. */
export class ByteWriter {
  private content = new Uint8Array(256);
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

  /** Bytes behind their number. */
  sized(write: (writer: ByteWriter) => void): void {
    const inner = new ByteWriter();
    write(inner);
    this.unsigned(inner.length);
    this.bytes(inner.written());
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
