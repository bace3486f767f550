/** What went wrong with the command line or a golden file, in words for the user. Ends the program with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export type GoldenDType = "float64" | "float32" | "int64" | "int8" | "bool";

const goldenDTypes: readonly unknown[] = ["float64", "float32", "int64", "int8", "bool"];

/** A number, or the name of one that JSON does not have. */
export type GoldenNumber = number | "NaN" | "Infinity" | "-Infinity";

/** One step from a base to a view of it: a name, then its numbers. */
export type ViewStep = readonly [name: string, ...numbers: (number | null)[]];

/** A tensor as golden files hold it; `data` is flat, row-major. */
export interface GoldenTensor {
  readonly dtype: GoldenDType;
  readonly shape: readonly number[];
  readonly data: readonly GoldenNumber[];
  /** How to build it as a non-contiguous view. */
  readonly view?: { readonly base: GoldenTensor; readonly steps: readonly ViewStep[] };
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isGoldenTensor(value: unknown): value is GoldenTensor {
  return isRecord(value) && "dtype" in value && "shape" in value && "data" in value;
}

export function isGoldenNumber(value: unknown): value is GoldenNumber {
  return typeof value === "number" || value === "NaN" || value === "Infinity" || value === "-Infinity";
}

/** The number that a golden number stands for. */
export function numberOf(value: GoldenNumber): number {
  return Number(value);
}

/** The elements, float32 ones rounded to what they stand for. */
export function elementsOf({ data, dtype }: GoldenTensor): number[] {
  return data.map((value) => (dtype === "float32" ? Math.fround(numberOf(value)) : numberOf(value)));
}

/** Throws unless the tensors in `value`, however deep, are what the schema says; `place` names it in messages. */
export function checkTensors(value: unknown, place: string): void {
  if (Array.isArray(value)) value.forEach((item, i) => void checkTensors(item, `${place}[${i}]`));
  if (!isRecord(value)) return;
  if (isGoldenTensor(value)) checkTensor(value, place);
  else for (const [name, item] of Object.entries(value)) checkTensors(item, `${place}.${name}`);
}

function checkTensor({ dtype, shape, data, view }: GoldenTensor, place: string): void {
  if (!goldenDTypes.includes(dtype)) {
    throw new UsageError(
      `${place}: unknown dtype ${JSON.stringify(dtype)}: expected ${goldenDTypes.join(", ")}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new UsageError(`${place}: the shape must be a list of sizes, got ${JSON.stringify(shape)}`);
  }
  if (!Array.isArray(data)) throw new UsageError(`${place}: data must be a flat list of numbers`);
  const wrong = data.find((value) => !isGoldenNumber(value) && typeof value !== "boolean");
  if (wrong !== undefined) throw new UsageError(`${place}: ${JSON.stringify(wrong)} is no number`);
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size) {
    throw new UsageError(
      `${place}: ${data.length} numbers do not fill the shape [${shape.join(", ")}] (${size})`,
    );
  }
  if (view === undefined) return;
  if (!isRecord(view) || !isGoldenTensor(view.base) || !Array.isArray(view.steps)) {
    throw new UsageError(`${place}: a view has a base tensor and steps`);
  }
  checkTensor(view.base, `${place}.view.base`);
}
