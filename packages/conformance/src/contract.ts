import { axisIndex, type ContractKernel, calculus as c, cast, constant, load, stage } from "@gradus/core";
import { describe, it } from "vitest";
import { type Convolution, convolution, flat, type MatmulOptions, matmul } from "./kernels.js";
import type { Subject } from "./subject.js";
import { count, MAX_I32, uniformNumbers, wholeNumbers } from "./values.js";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

interface Product {
  readonly batch?: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Whether an operand lies transposed, [batch, k, m] or [batch, n, k]. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Whether an operand is the same for the whole batch. */
  readonly sharedA?: boolean;
  readonly sharedB?: boolean;
}

/** Where the operands' elements are: the params of `matmul`, and how many elements each operand has. */
function layout({ batch = 1, m, n, k, transposeA, transposeB, sharedA, sharedB }: Product) {
  const a = [sharedA === true ? 0 : m * k, ...(transposeA === true ? [1, m] : [k, 1])];
  const b = [sharedB === true ? 0 : k * n, ...(transposeB === true ? [1, k] : [n, 1])];
  return {
    params: [0, ...a, 0, ...b],
    sizes: [batch, m, n, k],
    lengths: [(sharedA === true ? 1 : batch) * m * k, (sharedB === true ? 1 : batch) * k * n],
  };
}

/** The product by its definition. */
function multiplied(product: Product, a: readonly number[], b: readonly number[]): number[] {
  const { batch = 1, m, n, k } = product;
  const [, aBatch, aRow, aColumn, , bBatch, bRow, bColumn] = layout(product).params as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ];
  return count(batch).flatMap((p) =>
    count(m).flatMap((i) =>
      count(n).map((j) => {
        let sum = 0;
        for (let q = 0; q < k; q++) {
          sum +=
            (a[p * aBatch + i * aRow + q * aColumn] as number) *
            (b[p * bBatch + q * bRow + j * bColumn] as number);
        }
        return sum;
      }),
    ),
  );
}

/** Contractions: products in every shape and transposition, epilogues, convolutions. */
export function contractKernels(subject: Subject): void {
  const checkProduct = async (product: Product, options: MatmulOptions = {}): Promise<void> => {
    const { params, sizes, lengths } = layout(product);
    const [a, b] = [wholeNumbers(lengths[0] as number, 4, 1), wholeNumbers(lengths[1] as number, 4, 2)];
    const expected = multiplied(product, a, b);
    await subject.check(
      matmul(options),
      { inputs: [a, b], outputs: [expected.length], sizes, params },
      { values: [expected], describe: (i) => `product ${JSON.stringify(product)}, element ${i}` },
    );
  };

  it("multiplies by hand", async () => {
    await subject.check(
      matmul(),
      {
        inputs: [
          [1, 2, 3, 4, 5, 6],
          [7, 8, 9, 10, 11, 12],
        ],
        outputs: [4],
        sizes: [1, 2, 2, 3],
        params: [0, 0, 3, 1, 0, 0, 2, 1],
      },
      { values: [[58, 64, 139, 154]] },
    );
  });

  describe.each([
    { name: "A B", transposeA: false, transposeB: false },
    { name: "A^T B", transposeA: true, transposeB: false },
    { name: "A B^T", transposeA: false, transposeB: true },
    { name: "A^T B^T", transposeA: true, transposeB: true },
  ])("$name", ({ transposeA, transposeB }) => {
    it("of every combination of edge sizes", async () => {
      const edges = [1, 3, 5, 17, 64, 65];
      for (const m of edges) {
        for (const n of edges) for (const k of edges) await checkProduct({ m, n, k, transposeA, transposeB });
      }
    });

    it("of batches", async () => {
      for (const batch of [1, 2, 5]) {
        await checkProduct({ batch, m: 3, n: 5, k: 17, transposeA, transposeB });
        await checkProduct({ batch, m: 3, n: 5, k: 17, transposeA, transposeB, sharedA: true });
        await checkProduct({ batch, m: 3, n: 5, k: 17, transposeA, transposeB, sharedB: true });
      }
    });
  });

  it("of a long inner axis, and of long outer ones", async () => {
    await checkProduct({ m: 3, n: 2, k: 5000 });
    await checkProduct({ m: 1500, n: 2, k: 3 });
    await checkProduct({ m: 2, n: 1500, k: 3 });
  });

  it("of nothing is zero, or nothing", async () => {
    await checkProduct({ m: 3, n: 4, k: 0 });
    await checkProduct({ m: 0, n: 4, k: 3 });
    await checkProduct({ m: 3, n: 0, k: 3 });
    await checkProduct({ batch: 0, m: 3, n: 2, k: 3 });
  });

  it("of operands anywhere in their buffers", async () => {
    // The odd rows of a, backwards; b from its third element.
    const a = count(24).map((i) => i + 1);
    const b = [99, 99, 1, 2, 3, 4];
    await subject.check(
      matmul(),
      { inputs: [a, b], outputs: [4], sizes: [1, 2, 2, 2], params: [18, 0, -12, 1, 2, 0, 2, 1] },
      { values: [[19 + 3 * 20, 2 * 19 + 4 * 20, 7 + 3 * 8, 2 * 7 + 4 * 8]] },
    );
  });

  it("of fractions to a few units", async () => {
    const product = { m: 33, n: 35, k: 300 };
    const { params, sizes, lengths } = layout(product);
    const [a, b] = [uniformNumbers(lengths[0] as number, 3), uniformNumbers(lengths[1] as number, 4)];
    const expected = multiplied(product, a, b);
    await subject.check(
      matmul(),
      { inputs: [a, b], outputs: [expected.length], sizes, params },
      { tolerance: "contract", values: [expected] },
    );
  });

  it("carries NaN and infinity", async () => {
    await subject.check(
      matmul(),
      {
        inputs: [
          [nan, 0, inf, 1, 1, 1, 0, inf],
          [1, 0],
        ],
        outputs: [4],
        sizes: [1, 4, 1, 2],
        params: [0, 0, 2, 1, 0, 0, 1, 1],
      },
      { values: [[nan, inf, 1, nan]] },
    );
  });

  it("of integers wraps", async () => {
    await checkProduct({ m: 5, n: 17, k: 65 }, { dtype: "i32" });
    await subject.check(
      matmul({ dtype: "i32" }),
      {
        inputs: [
          [MAX_I32, 65537],
          [2, 65537],
        ],
        outputs: [1],
        sizes: [1, 1, 1, 2],
        params: [0, 0, 2, 1, 0, 0, 1, 1],
      },
      { values: [[-2 + 131073]] },
    );
  });

  it("of f64, and of f32 with sums in f64, if the device has it", async () => {
    await checkProduct({ m: 5, n: 17, k: 65 }, { dtype: "f64" });
    if (!subject.supports("f64")) return;
    await checkProduct({ m: 5, n: 17, k: 65 }, { accumulate: "f64", epilogue: (sum) => cast(sum, "f32") });
  });

  it("with groups of no axis: an outer product, a dot product", async () => {
    const outer: ContractKernel = {
      kind: "contract",
      name: "outer product",
      inputs: ["f32", "f32"],
      outputs: ["f32"],
      params: [],
      groups: { batch: 0, m: 1, n: 1, k: 0 },
      a: load(0, "f32", axisIndex(0)),
      b: load(1, "f32", axisIndex(1)),
      accumulate: "f32",
      writes: [{ buffer: 0, index: flat(0, 1), value: stage(0, "f32") }],
    };
    await subject.check(
      outer,
      {
        inputs: [
          [1, 2, 3],
          [4, 5],
        ],
        outputs: [6],
        sizes: [3, 2],
      },
      { values: [[4, 5, 8, 10, 12, 15]] },
    );
    const dot: ContractKernel = {
      ...outer,
      name: "dot product",
      groups: { batch: 0, m: 0, n: 0, k: 1 },
      a: load(0, "f32", axisIndex(0)),
      b: load(1, "f32", axisIndex(0)),
      writes: [{ buffer: 0, index: constant(0, "i32"), value: stage(0, "f32") }],
    };
    await subject.check(
      dot,
      {
        inputs: [
          [1, 2, 3],
          [4, 5, 6],
        ],
        outputs: [1],
        sizes: [3],
      },
      { values: [[32]] },
    );
  });

  describe("epilogues", () => {
    const [a, b] = [
      [1, -2, 3, 4],
      [1, 2, -3, 4],
    ];
    const launched = { outputs: [4], sizes: [1, 2, 2, 2], params: [0, 0, 2, 1, 0, 0, 2, 1] };
    // The product is [[7, -6], [-9, 22]].

    it("add a bias and apply an activation", async () => {
      const kernel = matmul({
        inputs: ["f32"],
        epilogue: (sum) => c.maximum(c.add(sum, load(2, "f32", axisIndex(2))), 0),
      });
      await subject.check(kernel, { ...launched, inputs: [a, b, [-2, 5]] }, { values: [[5, 0, 0, 27]] });
    });

    it("add a residual and scale each row", async () => {
      const kernel = matmul({
        inputs: ["f32", "f32"],
        epilogue: (sum) => c.add(c.mul(sum, load(2, "f32", axisIndex(1))), load(3, "f32", flat(1, 2))),
      });
      await subject.check(
        kernel,
        { ...launched, inputs: [a, b, [1, 10], [0.5, 1, 2, 4]] },
        { values: [[7.5, -5, -88, 224]] },
      );
    });

    it("run on an empty sum", async () => {
      const kernel = matmul({ inputs: ["f32"], epilogue: (sum) => c.add(sum, load(2, "f32", axisIndex(2))) });
      await subject.check(
        kernel,
        { inputs: [[], [], [-2, 5]], outputs: [4], sizes: [1, 2, 2, 0], params: launched.params },
        { values: [[-2, 5, -2, 5]] },
      );
    });

    it("may change the dtype", async () => {
      const kernel = matmul({ epilogue: (sum) => c.greater(sum, 0) });
      await subject.check(kernel, { ...launched, inputs: [a, b] }, { values: [[1, 0, 0, 1]] });
    });

    it("write several outputs, also transposed", async () => {
      const plain = matmul();
      const sum = stage(0, "f32");
      const kernel: ContractKernel = {
        ...plain,
        outputs: ["f32", "bool"],
        writes: [
          { buffer: 0, index: flat(0, 2, 1), value: c.maximum(sum, 0) },
          { buffer: 1, index: flat(0, 1, 2), value: c.greater(sum, 0) },
        ],
      };
      await subject.check(
        kernel,
        { ...launched, inputs: [a, b], outputs: [4, 4] },
        {
          values: [
            [7, 0, 0, 22],
            [1, 0, 0, 1],
          ],
        },
      );
    });
  });

  describe("operands", () => {
    it("may be expressions", async () => {
      const plain = matmul();
      const kernel: ContractKernel = { ...plain, a: c.maximum(plain.a, 0), b: c.mul(plain.b, 2) };
      // [[1, 0], [3, 4]] x [[2, 4], [-6, 8]]
      await subject.check(
        kernel,
        {
          inputs: [
            [1, -2, 3, 4],
            [1, 2, -3, 4],
          ],
          outputs: [4],
          sizes: [1, 2, 2, 2],
          params: [0, 0, 2, 1, 0, 0, 2, 1],
        },
        { values: [[2, 4, -18, 44]] },
      );
    });
  });

  describe("convolution", () => {
    it("by hand: a window of ones sums its neighbours", async () => {
      await subject.check(
        convolution("f32"),
        {
          inputs: [[1, 2, 3, 4, 5, 6, 7, 8, 9], new Array(9).fill(1)],
          outputs: [9],
          sizes: [1, 3, 3, 1, 3, 3, 1],
          params: [3, 3, 1, 1, 1],
        },
        { values: [[12, 21, 16, 27, 45, 33, 24, 39, 28]] },
      );
    });

    const plain = {
      batch: 1,
      height: 5,
      width: 5,
      channels: 1,
      filters: 1,
      window: 3,
      stride: 1,
      padding: 0,
      dilation: 1,
    };
    const convolutions: readonly [string, Partial<Convolution>][] = [
      ["one image, one channel", {}],
      ["several of each, padded", { batch: 2, height: 7, width: 6, channels: 3, filters: 5, padding: 1 }],
      ["in steps of two", { batch: 3, height: 8, width: 9, channels: 2, filters: 4, stride: 2, padding: 1 }],
      ["dilated", { height: 9, width: 9, channels: 4, filters: 3, padding: 2, dilation: 2 }],
      ["of single points", { batch: 2, height: 4, width: 4, channels: 17, filters: 65, window: 1 }],
    ];
    it.each(convolutions)("%s", async (_, parts) => {
      await checkConvolution(subject, { ...plain, ...parts });
    });
  });
}

async function checkConvolution(subject: Subject, parts: Convolution): Promise<void> {
  const { batch, height, width, channels, filters, window, stride, padding, dilation } = parts;
  const reach = dilation * (window - 1) + 1;
  const [oh, ow] = [height, width].map((n) => Math.floor((n + 2 * padding - reach) / stride) + 1) as [
    number,
    number,
  ];
  const image = wholeNumbers(batch * height * width * channels, 4, 1);
  const weights = wholeNumbers(filters * window * window * channels, 4, 2);
  const expected = count(batch * oh * ow * filters).map((p) => {
    const filter = p % filters;
    const x0 = (Math.floor(p / filters) % ow) * stride - padding;
    const y0 = (Math.floor(p / (filters * ow)) % oh) * stride - padding;
    const picture = Math.floor(p / (filters * ow * oh));
    let sum = 0;
    for (let i = 0; i < window; i++) {
      for (let j = 0; j < window; j++) {
        const [y, x] = [y0 + i * dilation, x0 + j * dilation];
        if (y < 0 || y >= height || x < 0 || x >= width) continue;
        for (let channel = 0; channel < channels; channel++) {
          const pixel = image[((picture * height + y) * width + x) * channels + channel] as number;
          sum += pixel * (weights[((filter * window + i) * window + j) * channels + channel] as number);
        }
      }
    }
    return sum;
  });
  await subject.check(
    convolution("f32"),
    {
      inputs: [image, weights],
      outputs: [expected.length],
      sizes: [batch, oh, ow, filters, window, window, channels],
      params: [height, width, stride, padding, dilation],
    },
    { values: [expected] },
  );
}
