import {
  castNumber,
  type DType,
  elementBytes,
  fail,
  formatShape,
  GradusError,
  type Shape,
  sizeOf,
  type TypedArray,
  typedArray,
} from "@gradus/core";

/** A tensor's elements in the memory of the host; bool as 0 and 1 in an Int32Array, f16 as numbers in a Float32Array. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The names of dtypes in the file, in the order in which their tensors are laid out: then all of them are aligned. */
const FORMATS = [
  { name: "F64", dtype: "f64", bytes: 8 },
  { name: "F32", dtype: "f32", bytes: 4 },
  { name: "I32", dtype: "i32", bytes: 4 },
  { name: "F16", dtype: "f16", bytes: 2 },
  { name: "BOOL", dtype: "bool", bytes: 1 },
] as const;

const METADATA = "__metadata__";

/** The limit that other readers of the format set. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Tensors and a table of strings as the bytes of a safetensors file: the length of the header (64 bits, little-endian), the
 * header (JSON: dtype, shape and place of each tensor), the elements. Equal input gives equal bytes.
 *
 * Source: https://github.com/huggingface/safetensors
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries = [...tensors].map(([name, tensor]) => ({ name, tensor, format: formatOf(tensor.dtype) }));
  entries.sort((a, b) => FORMATS.indexOf(a.format) - FORMATS.indexOf(b.format) || (a.name < b.name ? -1 : 1));

  let end = 0;
  const header: [string, unknown][] = [[METADATA, metadata]];
  const places = entries.map(({ name, tensor, format }) => {
    if (name === METADATA) fail("invalid-argument", `safetensors: a tensor may not be called ${METADATA}`);
    const begin = end;
    end += sizeOf(tensor.shape) * format.bytes;
    header.push([name, { dtype: format.name, shape: tensor.shape, data_offsets: [begin, end] }]);
    return begin;
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(json.length / 8) * 8;

  const bytes = new Uint8Array(8 + headerBytes + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(" ".charCodeAt(0), 8, 8 + headerBytes);
  bytes.set(json, 8);
  entries.forEach(({ tensor }, i) => {
    writeElements(bytes.subarray(8 + headerBytes + (places[i] as number)), tensor);
  });
  return bytes;
}

/**
 * The tensors and the table of a safetensors file.
 *
 * @throws `corrupt-file` saying what is wrong with the bytes, or `unsupported` for a dtype that this library does not have.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  if (bytes.length < 8) corrupt(`it has ${bytes.length} bytes, less than the 8 of the header's length`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) corrupt(`the header would have ${length} bytes`);
  const dataBegin = 8 + Number(length);
  if (dataBegin > bytes.length) {
    corrupt(`it has ${bytes.length} bytes, and the header alone would end at ${dataBegin}. Was it cut off?`);
  }
  const header = parseHeader(bytes.subarray(8, dataBegin));
  const metadata = checkMetadata(header[METADATA]);
  const entries = Object.entries(header)
    .filter(([name]) => name !== METADATA)
    .map(([name, entry]) => checkEntry(name, entry));
  checkCoverage(entries, bytes.length - dataBegin);
  return {
    metadata,
    tensors: new Map(
      entries.map(({ name, format, shape, begin, end }) => {
        const data = readElements(bytes.subarray(dataBegin + begin, dataBegin + end), format.dtype);
        return [name, { dtype: format.dtype, shape, data }];
      }),
    ),
  };
}

interface Entry {
  readonly name: string;
  readonly format: (typeof FORMATS)[number];
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GradusError("corrupt-file", `${NOT_SAFETENSORS}: the header is not JSON`, { cause });
  }
  return isRecord(header) ? header : corrupt("the header is not an object");
}

function checkMetadata(metadata: unknown = {}): Record<string, string> {
  if (isRecord(metadata) && Object.values(metadata).every((value) => typeof value === "string")) {
    return metadata as Record<string, string>;
  }
  return corrupt(`${METADATA} is not a table of strings`);
}

function checkEntry(name: string, entry: unknown): Entry {
  const where = `tensor ${JSON.stringify(name)}`;
  if (!isRecord(entry)) return corrupt(`${where} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const format = FORMATS.find((one) => one.name === dtype);
  if (format === undefined) {
    if (typeof dtype !== "string") return corrupt(`${where} has no dtype`);
    const known = FORMATS.map((one) => one.name).join(", ");
    return fail("unsupported", `safetensors: ${where} has the dtype ${dtype}. Known are ${known}`);
  }
  if (!isListOfSizes(shape)) return corrupt(`${where} has no valid shape`);
  if (!isListOfSizes(offsets) || offsets.length !== 2) return corrupt(`${where} has no valid data_offsets`);
  const [begin, end] = offsets as [number, number];
  const expected = sizeOf(shape) * format.bytes;
  if (end - begin !== expected) {
    corrupt(`${where}, ${format.name}${formatShape(shape)}, needs ${expected} bytes and has ${end - begin}`);
  }
  return { name, format, shape, begin, end };
}

/** The tensors must fill the data without holes or overlaps, as the format demands. */
function checkCoverage(entries: readonly Entry[], bytes: number): void {
  let end = 0;
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const where = `tensor ${JSON.stringify(entry.name)} begins at byte ${entry.begin} of the data`;
    if (entry.begin < end) corrupt(`${where}, inside of another tensor, which ends at ${end}`);
    if (entry.begin > end) corrupt(`${where}, after a hole that begins at ${end}`);
    end = entry.end;
  }
  if (end > bytes) corrupt(`the data should have ${end} bytes and has ${bytes}. Was it cut off?`);
  if (end < bytes) corrupt(`there are ${bytes - end} bytes after the last tensor`);
}

// All platforms that run JavaScript today are little-endian, as the format is.

function writeElements(target: Uint8Array, { dtype, data }: HostTensor): void {
  if (dtype === "bool") {
    target.set(data as Int32Array);
    return;
  }
  const { buffer, byteOffset, byteLength } = elementBytes(dtype, data);
  target.set(new Uint8Array(buffer, byteOffset, byteLength));
}

function readElements(source: Uint8Array, dtype: DType): TypedArray {
  if (dtype === "bool") return Int32Array.from(source, (value) => castNumber(value, "bool"));
  // A copy, because the bytes may begin anywhere and a typed array may not. (The slice() of Node's Buffer is none.)
  return typedArray(dtype, new Uint8Array(source).buffer);
}

function formatOf(dtype: DType): (typeof FORMATS)[number] {
  return FORMATS.find((one) => one.dtype === dtype) as (typeof FORMATS)[number];
}

function isListOfSizes(x: unknown): x is number[] {
  return Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

const NOT_SAFETENSORS = "this is not a valid safetensors file";

function corrupt(what: string): never {
  return fail("corrupt-file", `${NOT_SAFETENSORS}: ${what}`);
}
