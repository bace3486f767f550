import { ByteWriter } from "./byte-writer.js";
import { F32, F64, I32, type Signature, type ValueType, type WasmFunction } from "./encode.js";

/** Opcodes that stand alone. Those of the scalar operations are in a table of their own. */
export const op = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  branch: 0x0c,
  branchIf: 0x0d,
  select: 0x1b,
  void: 0x40,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32Lt: 0x48,
  i32Gt: 0x4a,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32Div: 0x6d,
  i32Remainder: 0x6f,
  i32And: 0x71,
  i32Or: 0x72,
  i32Shl: 0x74,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i32OfBits: 0xbc,
  f32OfBits: 0xbe,
} as const;

/** Numbers of the vector instructions, which follow a prefix. */
export const simd = {
  load: 0,
  load32Splat: 9,
  load64Splat: 10,
  store: 11,
  const: 12,
  shuffle: 13,
  splatI32: 17,
  splatF32: 19,
  splatF64: 20,
  extractI32: 27,
  replaceI32: 28,
  extractI64: 29,
  extractF32: 31,
  replaceF32: 32,
  extractF64: 33,
  replaceF64: 34,
  eqI32: 55,
  neI32: 56,
  ltI32: 57,
  gtI32: 59,
  eqF32: 65,
  neF32: 66,
  ltF32: 67,
  gtF32: 68,
  and: 78,
  or: 80,
  not: 77,
  bitSelect: 82,
  load32Lane: 86,
  load64Lane: 87,
  store32Lane: 90,
  store64Lane: 91,
  load64Zero: 93,
  demote: 94,
  promoteLow: 95,
  anyTrue: 83,
  allTrue: 163,
  extendI32: 199,
  addI32: 174,
  minI32: 182,
  maxI32: 184,
  mulI32: 181,
  subI32: 177,
  shiftLeftI32: 171,
  shiftI32: 172,
  shiftLogicalI32: 173,
  multiplyLow: 220,
  multiplyHigh: 221,
  addF32: 228,
  mulF32: 230,
  minF32: 232,
  maxF32: 233,
  lesserF32: 234,
  greaterF32: 235,
  absF64: 236,
  leF64: 75,
  geF64: 76,
  allTrueI64: 195,
  lesserF64: 246,
  greaterF64: 247,
  addF64: 240,
  divF64: 243,
  mulF64: 242,
  minF64: 244,
  maxF64: 245,
  neF64: 72,
  eqF64: 71,
  i32OfF32: 248,
  f32OfI32: 250,
  i32OfF64: 252,
  f64OfI32: 254,
  fusedF32: 0x105,
  fusedF64: 0x107,
} as const;

/** The code of one function as it is written: instructions and locals. */
export class FunctionBody {
  private readonly code = new ByteWriter();
  private readonly locals: ValueType[] = [];

  constructor(private readonly signature: Signature) {}

  /** A new local variable. */
  local(type: ValueType): number {
    return this.signature.takes.length + this.locals.push(type) - 1;
  }

  put(...bytes: number[]): void {
    for (let k = 0; k < bytes.length; k++) this.code.byte(bytes[k] as number);
  }

  simd(instruction: number, ...immediates: number[]): void {
    this.code.byte(0xfd);
    this.code.unsigned(instruction);
    for (let k = 0; k < immediates.length; k++) this.code.byte(immediates[k] as number);
  }

  get(local: number): void {
    this.code.byte(0x20);
    this.code.unsigned(local);
  }

  set(local: number): void {
    this.code.byte(0x21);
    this.code.unsigned(local);
  }

  tee(local: number): void {
    this.code.byte(0x22);
    this.code.unsigned(local);
  }

  call(index: number): void {
    this.code.byte(0x10);
    this.code.unsigned(index);
  }

  i32(value: number): void {
    this.code.byte(0x41);
    this.code.signed(value);
  }

  constant(type: ValueType, value: number): void {
    if (type === I32) this.i32(value);
    else if (type === F32) {
      this.code.byte(0x43);
      this.code.f32(value);
    } else {
      this.code.byte(0x44);
      this.code.f64(value);
    }
  }

  /** Equal lanes: four of f32 or i32, two of f64. */
  constantVector(type: ValueType, value: number): void {
    const { code } = this;
    code.byte(0xfd);
    code.byte(simd.const);
    for (let lane = type === F64 ? 2 : 4; lane > 0; lane--) {
      if (type === F64) code.f64(value);
      else if (type === F32) code.f32(value);
      else code.i32(value);
    }
  }

  /** `local += step` */
  advance(local: number, step: number): void {
    this.get(local);
    this.i32(step);
    this.put(op.i32Add);
    this.set(local);
  }

  /** Pushes the value of a type that lies `offset` bytes behind the address on the stack. */
  load(type: ValueType, offset = 0): void {
    if (type === I32) this.put(0x28, 2);
    else if (type === F32) this.put(0x2a, 2);
    else this.put(0x2b, 3);
    this.code.unsigned(offset);
  }

  /** Stores the value on the stack at the address below it. */
  store(type: ValueType): void {
    this.put(...(type === I32 ? [0x36, 2] : type === F32 ? [0x38, 2] : [0x39, 3]), 0);
  }

  /** `if (the i32 on the stack) { then() }` */
  when(then: () => void): void {
    this.put(op.if, op.void);
    then();
    this.put(op.end);
  }

  /** `do { body() } while (what condition() pushes)` */
  repeat(body: () => void, condition: () => void): void {
    this.put(op.loop, op.void);
    body();
    condition();
    this.put(op.branchIf, 0, op.end);
  }

  finish(): WasmFunction {
    return { signature: this.signature, locals: this.locals, code: this.code.written() };
  }
}
