import type { DType } from "@gradus/core";
import { F32, F64, I32, type ValueType } from "../wasm/encode.js";

/** The type of a local that holds a dtype. Bools are i32 0 or 1; in a vector, lanes of all zeros or all ones. */
export function typeOf(dtype: DType): ValueType {
  return dtype === "f32" ? F32 : dtype === "f64" ? F64 : I32;
}

/** Opcode on one value, and on all lanes of a vector, if there is such an instruction. */
type Instruction = readonly [scalar: number, vector?: number];
type Row = Partial<Record<DType, Instruction>>;

const floats = (f32: number, vector: number, f64: number, vectorF64: number): Row => ({
  f32: [f32, vector],
  f64: [f64, vectorF64],
});
const integers = (scalar: number, vector?: number): Row => ({
  i32: vector === undefined ? [scalar] : [scalar, vector],
});

/**
 * Scalar operations that are one instruction. `quotient` and `remainderOf` are the machine's (they trap where idiv does not),
 * `bitsAnd` and so on see floats as whole numbers with the same bits; those of f64 are computed on lanes only.
 */
const instructions: Readonly<Record<string, Row>> = {
  add: { ...floats(0x92, 228, 0xa0, 240), ...integers(0x6a, 174) },
  sub: { ...floats(0x93, 229, 0xa1, 241), ...integers(0x6b, 177) },
  mul: { ...floats(0x94, 230, 0xa2, 242), ...integers(0x6c, 181) },
  div: floats(0x95, 231, 0xa3, 243),
  minimum: floats(0x96, 232, 0xa4, 244),
  maximum: floats(0x97, 233, 0xa5, 245),
  abs: floats(0x8b, 224, 0x99, 236),
  neg: floats(0x8c, 225, 0x9a, 237),
  ceil: floats(0x8d, 103, 0x9b, 116),
  floor: floats(0x8e, 104, 0x9c, 117),
  trunc: floats(0x8f, 105, 0x9d, 122),
  round: floats(0x90, 106, 0x9e, 148),
  sqrt: floats(0x91, 227, 0x9f, 239),
  // False is below true, but its mask is above.
  eq: { ...floats(0x5b, 65, 0x61, 71), i32: [0x46, 55], bool: [0x46, 55] },
  ne: { ...floats(0x5c, 66, 0x62, 72), i32: [0x47, 56], bool: [0x47, 56] },
  lt: { ...floats(0x5d, 67, 0x63, 73), i32: [0x48, 57], bool: [0x48, 59] },
  gt: { ...floats(0x5e, 68, 0x64, 74), i32: [0x4a, 59], bool: [0x4a, 57] },
  le: { ...floats(0x5f, 69, 0x65, 75), i32: [0x4c, 61], bool: [0x4c, 63] },
  ge: { ...floats(0x60, 70, 0x66, 76), i32: [0x4e, 63], bool: [0x4e, 61] },
  logicalAnd: { bool: [0x71, 78] },
  logicalOr: { bool: [0x72, 80] },
  logicalXor: { bool: [0x73, 81] },
  bitAnd: integers(0x71, 78),
  bitOr: integers(0x72, 80),
  bitXor: integers(0x73, 81),
  shiftLeft: integers(0x74, 171),
  shiftRight: integers(0x75, 172),
  shiftRightLogical: integers(0x76, 173),
  quotient: integers(0x6d),
  remainderOf: integers(0x6f),
  // The first operand where the second is NaN, and otherwise the greater or lesser.
  greater: floats(0x97, 235, 0xa5, 247),
  lesser: floats(0x96, 234, 0xa4, 246),
  bitsAnd: floats(0x71, 78, 0, 78),
  bitsOr: floats(0x72, 80, 0, 80),
  bitsXor: floats(0x73, 81, 0, 81),
  bitsAdd: floats(0x6a, 174, 0, 206),
  bitsSub: floats(0x6b, 177, 0, 209),
  bitsShiftLeft: floats(0x74, 171, 0, 203),
  bitsShiftRight: floats(0x76, 173, 0, 205),
  where: { f32: [0x1b, 82], f64: [0x1b, 82], i32: [0x1b, 82], bool: [0x1b, 82] },
};

/** Vector shifts take one amount for all lanes. */
export const shifts: ReadonlySet<string> = new Set([
  ...["shiftLeft", "shiftRight", "shiftRightLogical", "bitsShiftLeft", "bitsShiftRight"],
]);

/** Whether an operation sees floats as whole numbers. */
export function isOnBits(name: string): boolean {
  return name.startsWith("bits");
}

export function instructionOf(name: string, operand: DType): Instruction | undefined {
  return Object.hasOwn(instructions, name) ? instructions[name]?.[operand] : undefined;
}
