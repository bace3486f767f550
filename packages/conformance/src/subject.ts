import {
  type Backend,
  type Buffer,
  bytesOf,
  castNumber,
  type DType,
  elementBytes,
  interpreter,
  type Kernel,
  type TypedArray,
  typedArray,
} from "@gradus/core";
import { afterAll, afterEach, assert, beforeAll, expect } from "vitest";
import { expectCode } from "./expect-code.js";
import { defaultTolerance, isClose, type Tolerance, type ToleranceName } from "./tolerance.js";

/** One launch, by its values. */
export interface Launched {
  /** What each input holds, as values of its dtype. */
  readonly inputs?: readonly ArrayLike<number>[];
  /** How many elements each output has. */
  readonly outputs: readonly number[];
  readonly sizes: readonly number[];
  readonly params?: readonly number[];
}

export interface Expectation {
  /** How close: a name whose tolerance the suite's user may set. Default: exact. */
  readonly tolerance?: ToleranceName;
  /** The outputs by closed form or by hand, checked beside the reference's. */
  readonly values?: readonly ArrayLike<number>[];
  /** Names element i in a message. */
  readonly describe?: (i: number) => string;
}

/** The backend under test, the reference that it is compared with, and the buffers of the test that is running. */
export class Subject {
  private opened: Backend | undefined;
  private readonly reference = interpreter({ precision: "float32" });
  private buffers: Buffer[] = [];

  constructor(
    private readonly create: () => Backend | Promise<Backend>,
    private readonly tolerances: Partial<Record<ToleranceName, Tolerance>>,
  ) {}

  get device(): Backend {
    return this.opened as Backend;
  }

  /** Opens a device for the tests of a `describe` block, and sees to it that each of them leaves nothing behind. */
  install(): void {
    let before = 0;
    beforeAll(async () => {
      this.opened = await this.create();
      before = this.device.memory().buffers;
    });
    afterEach(() => {
      this.release();
      expect(this.device.memory().buffers, "buffers left behind by this test").toBe(before);
    });
    afterAll(async () => {
      await this.device.dispose();
      this.opened = undefined;
    });
  }

  /** Another device of the same kind. The test disposes it. */
  async another(): Promise<Backend> {
    return await this.create();
  }

  supports(...dtypes: readonly DType[]): boolean {
    return dtypes.every((dtype) => this.device.caps.dtypes.includes(dtype));
  }

  toleranceOf(name: ToleranceName | undefined): Tolerance {
    if (name === undefined) return {};
    return this.tolerances[name] ?? defaultTolerance(name);
  }

  /** A buffer with these values. It is freed after the test. */
  buffer(dtype: DType, values: ArrayLike<number>): Buffer {
    const data = typedArray(dtype, values);
    const buffer = this.room(dtype, data.length);
    if (data.length > 0) this.device.write(buffer, elementBytes(dtype, data));
    return buffer;
  }

  /** A buffer for `n` elements. It is freed after the test. */
  room(dtype: DType, n: number): Buffer {
    const buffer = this.device.alloc(n * bytesOf(dtype));
    this.buffers.push(buffer);
    return buffer;
  }

  free(buffer: Buffer): void {
    this.buffers = this.buffers.filter((one) => one !== buffer);
    this.device.free(buffer);
  }

  async values(dtype: DType, buffer: Buffer): Promise<number[]> {
    return [...typedArray(dtype, await this.device.read(buffer))];
  }

  /** Launches a kernel once on the device under test and returns its outputs. */
  async outputs(kernel: Kernel, launched: Launched): Promise<TypedArray[]> {
    const { inputs = [], outputs, sizes, params = [] } = launched;
    const { device } = this;
    const sources = inputs.map((values, k) => this.buffer(kernel.inputs[k] as DType, values));
    const results = outputs.map((n, k) => this.room(kernel.outputs[k] as DType, n));
    device.run([
      { executable: device.compile(kernel, sizes), buffers: [...sources, ...results], sizes, params },
    ]);
    const data = await Promise.all(
      results.map(async (buffer, k) => typedArray(kernel.outputs[k] as DType, await device.read(buffer))),
    );
    for (const buffer of [...sources, ...results]) this.free(buffer);
    return data;
  }

  /**
   * Launches a kernel and compares its outputs with the reference's, and with `values`. A kernel of a dtype that the
   * device does not have must be refused.
   */
  async check(kernel: Kernel, launched: Launched, expectation: Expectation = {}): Promise<void> {
    if (!this.supports(...dtypesOf(kernel))) {
      expectCode(() => this.device.compile(kernel), "unsupported");
      return;
    }
    const actual = await this.outputs(kernel, launched);
    const { values, tolerance, describe } = expectation;
    const expected = this.expected(kernel, launched);
    kernel.outputs.forEach((dtype, k) => {
      const what = `${kernel.name}, output ${k}`;
      const options = { dtype, tolerance: this.toleranceOf(tolerance), describe };
      const output = actual[k] as TypedArray;
      if (values?.[k] !== undefined)
        expectClose(output, values[k], { ...options, what: `${what} (by definition)` });
      expectClose(output, expected[k] as TypedArray, { ...options, what: `${what} (as the interpreter)` });
    });
  }

  private expected(kernel: Kernel, { inputs = [], outputs, sizes, params = [] }: Launched): TypedArray[] {
    const { reference } = this;
    const sources = inputs.map((values, k) => {
      const dtype = kernel.inputs[k] as DType;
      const data = elementBytes(dtype, typedArray(dtype, values));
      const buffer = reference.alloc(data.byteLength);
      reference.write(buffer, data);
      return buffer;
    });
    const results = outputs.map((n, k) => reference.alloc(n * bytesOf(kernel.outputs[k] as DType)));
    reference.run([
      { executable: reference.compile(kernel), buffers: [...sources, ...results], sizes, params },
    ]);
    return results.map((buffer, k) => {
      const bytes = reference.readSync?.(buffer) as ArrayBuffer;
      return typedArray(kernel.outputs[k] as DType, bytes);
    });
  }

  private release(): void {
    for (const buffer of this.buffers) this.device.free(buffer);
    this.buffers = [];
  }
}

function dtypesOf(kernel: Kernel): DType[] {
  return [...kernel.inputs, ...kernel.outputs];
}

interface Comparison {
  readonly what: string;
  readonly dtype: DType;
  readonly tolerance: Tolerance;
  readonly describe?: ((i: number) => string) | undefined;
}

/** Fails, naming the first element that differs, unless two arrays agree. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { what, dtype, tolerance, describe }: Comparison,
): void {
  assert.equal(actual.length, expected.length, `${what}: number of elements`);
  let first = -1;
  let wrong = 0;
  for (let i = 0; i < actual.length; i++) {
    if (isClose(actual[i] as number, castNumber(expected[i] as number, dtype), dtype, tolerance)) continue;
    wrong++;
    if (first < 0) first = i;
  }
  if (wrong === 0) return;
  const name = describe === undefined ? "" : ` (${describe(first)})`;
  const { ulps = 0, absolute = 0 } = tolerance;
  assert.fail(
    `${what}: element ${first}${name} is ${actual[first]}, expected ${expected[first]} within ${ulps} ulps or ${absolute}. ` +
      `${wrong} of ${actual.length} elements differ.`,
  );
}
