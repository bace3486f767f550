import type { DType, TypedArray } from "../dtype.js";
import type { Reduction } from "../ir/kernel.js";
import type { Register } from "./registers.js";

/*
 * The two ways in which a stage combines values: along the run into one number, or, where the run is a grid axis, into
 * a number for each element of the run. Both combine the values of a grid point one by one in row-major order, so
 * they agree to the last bit. Floats are combined in float64 and rounded once, when the result goes to its register.
 */

/** The result of combining nothing. */
export function identity(op: Reduction, dtype: DType): number {
  switch (op) {
    case "sum":
    case "argmax":
    case "argmin":
      return 0;
    case "prod":
      return 1;
    case "max":
      return dtype === "i32" ? -2147483648 : dtype === "bool" ? 0 : -Infinity;
    case "min":
      return dtype === "i32" ? 2147483647 : dtype === "bool" ? 1 : Infinity;
  }
}

function isPosition(op: Reduction): boolean {
  return op === "argmax" || op === "argmin";
}

/** Combines along the run. */
export class RunReducer {
  private acc = 0;
  /** The extreme value so far, of which `acc` is the position. */
  private best = 0;
  private position = 0;

  constructor(
    private readonly op: Reduction,
    private readonly dtype: DType,
    private readonly result: Register,
  ) {}

  begin(): void {
    this.acc = identity(this.op, this.dtype);
    this.best = this.op === "argmax" ? -Infinity : Infinity;
    this.position = 0;
  }

  combine({ data, step }: Register, n: number): void {
    switch (this.op) {
      case "sum":
        this.acc = this.dtype === "i32" ? sumIntegers(this.acc, data, step, n) : sum(this.acc, data, step, n);
        break;
      case "prod":
        this.acc =
          this.dtype === "i32"
            ? multiplyIntegers(this.acc, data, step, n)
            : multiply(this.acc, data, step, n);
        break;
      case "max":
        this.acc = max(this.acc, data, step, n);
        break;
      case "min":
        this.acc = min(this.acc, data, step, n);
        break;
      default:
        this.findExtreme(data, step, n);
    }
  }

  end(): void {
    this.result.data[0] = this.acc;
  }

  private findExtreme(data: TypedArray, step: number, n: number): void {
    const sign = this.op === "argmax" ? 1 : -1;
    for (let i = 0; i < n; i++) {
      const x = data[i * step] as number;
      // The first NaN is extreme; nothing comes after it, since no comparison with NaN holds.
      if (sign * x > sign * this.best || (Number.isNaN(x) && !Number.isNaN(this.best))) {
        this.best = x;
        this.acc = this.position + i;
      }
    }
    this.position += n;
  }
}

/** Combines for each element of the run. */
export class ElementReducer {
  private readonly acc: TypedArray;
  private readonly best: Float64Array | undefined;
  private position = 0;

  constructor(
    private readonly op: Reduction,
    private readonly dtype: DType,
    private readonly result: Register,
    capacity: number,
  ) {
    const rounds = result.data instanceof Float32Array && (op === "sum" || op === "prod");
    this.acc = rounds ? new Float64Array(capacity) : result.data;
    this.best = isPosition(op) ? new Float64Array(capacity) : undefined;
  }

  begin(n: number): void {
    this.acc.fill(identity(this.op, this.dtype), 0, n);
    this.best?.fill(this.op === "argmax" ? -Infinity : Infinity, 0, n);
    this.position = 0;
  }

  combine({ data, step }: Register, n: number): void {
    const { acc } = this;
    switch (this.op) {
      case "sum":
        // The array of an i32 stage wraps by itself.
        for (let i = 0; i < n; i++) acc[i] = (acc[i] as number) + (data[i * step] as number);
        break;
      case "prod":
        if (this.dtype === "i32") {
          for (let i = 0; i < n; i++) acc[i] = Math.imul(acc[i] as number, data[i * step] as number);
        } else {
          for (let i = 0; i < n; i++) acc[i] = (acc[i] as number) * (data[i * step] as number);
        }
        break;
      case "max":
        for (let i = 0; i < n; i++) acc[i] = Math.max(acc[i] as number, data[i * step] as number);
        break;
      case "min":
        for (let i = 0; i < n; i++) acc[i] = Math.min(acc[i] as number, data[i * step] as number);
        break;
      default:
        this.findExtremes(data, step, n);
    }
    this.position++;
  }

  end(n: number): void {
    const { acc, result } = this;
    if (acc !== result.data) for (let i = 0; i < n; i++) result.data[i] = acc[i] as number;
  }

  private findExtremes(data: TypedArray, step: number, n: number): void {
    const { acc, position } = this;
    const best = this.best as Float64Array;
    const sign = this.op === "argmax" ? 1 : -1;
    for (let i = 0; i < n; i++) {
      const x = data[i * step] as number;
      const extreme = best[i] as number;
      if (sign * x > sign * extreme || (Number.isNaN(x) && !Number.isNaN(extreme))) {
        best[i] = x;
        acc[i] = position;
      }
    }
  }
}

function sum(start: number, data: TypedArray, step: number, n: number): number {
  let acc = start;
  for (let i = 0; i < n; i++) acc += data[i * step] as number;
  return acc;
}

function sumIntegers(start: number, data: TypedArray, step: number, n: number): number {
  let acc = start;
  for (let i = 0; i < n; i++) acc = (acc + (data[i * step] as number)) | 0;
  return acc;
}

function multiply(start: number, data: TypedArray, step: number, n: number): number {
  let acc = start;
  for (let i = 0; i < n; i++) acc *= data[i * step] as number;
  return acc;
}

function multiplyIntegers(start: number, data: TypedArray, step: number, n: number): number {
  let acc = start;
  for (let i = 0; i < n; i++) acc = Math.imul(acc, data[i * step] as number);
  return acc;
}

function max(start: number, data: TypedArray, step: number, n: number): number {
  let acc = start;
  for (let i = 0; i < n; i++) acc = Math.max(acc, data[i * step] as number);
  return acc;
}

function min(start: number, data: TypedArray, step: number, n: number): number {
  let acc = start;
  for (let i = 0; i < n; i++) acc = Math.min(acc, data[i * step] as number);
  return acc;
}
