import { interpreter, type Tensor } from "@gradus/core";
import { compile, key, setDefaultDevice } from "@gradus/tensor";
import { describe, expect, it } from "vitest";
import { type WebglOptions, webgl } from "./webgl.js";

const normal = (seed: number, ...shape: number[]): Tensor => key(seed).normal(shape);

/** Many numbers, sooner made than random ones. */
const wave = (rows: number, columns: number): Tensor =>
  normal(5, rows, 1)
    .mul(normal(6, 1, columns))
    .add(normal(7, columns));

/** Products that are packed, cut and folded in different ways. */
const products: Readonly<Record<string, () => Tensor>> = {
  "of few rows and many columns": () => normal(1, 5, 5000).matmul(normal(2, 5000, 6)),
  "with lines that are cut at the most": () => normal(1, 4, 9000).matmul(normal(2, 9000, 4)),
  "of many rows and few columns": () => normal(1, 9000, 5).matmul(normal(2, 5, 4)),
  "of so many rows that they are cut": () => wave(2100, 512).matmul(normal(2, 512, 6)),
  "of so many columns that they are cut": () => normal(1, 6, 512).matmul(wave(512, 2100)),
  "of a batch with one matrix": () => normal(1, 3, 7, 33).matmul(normal(2, 33, 5)),
  "of a batch with another": () => normal(1, 2, 9, 40).matmul(normal(2, 2, 40, 11)),
  "of one matrix with a batch": () => normal(1, 6, 18).matmul(normal(2, 3, 18, 7)),
  "of transposed matrices": () =>
    normal(1, 30, 9)
      .transpose(0, 1)
      .matmul(normal(2, 11, 30).transpose(0, 1)),
  "with sums that are used in place": () =>
    normal(1, 10, 20)
      .matmul(normal(2, 20, 15))
      .add(normal(3, 15))
      .tanh()
      .mul(normal(4, 10, 15)),
  "of a padded convolution": () =>
    normal(1, 2, 3, 9, 9).conv(normal(2, 5, 3, 3, 3), { padding: 1, stride: 2 }),
  "of a convolution in groups": () => normal(1, 2, 8, 6, 6).conv(normal(2, 12, 4, 2, 2), { groups: 2 }),
};

/** Products of every shape have the interpreter's values. */
export function describeProducts(options: WebglOptions): void {
  describe(`products in ${options.mode}`, () => {
    it.each(Object.entries(products))("are right: %s", async (_, product) => {
      setDefaultDevice(interpreter({ precision: "float32" }));
      const expected = product();
      const device = await webgl(options);
      setDefaultDevice(device);
      const found = compile(product)();
      expect(found.shape).toEqual(expected.shape);
      const [wanted, values] = [[...expected.data()], await found.read()];
      const scale = Math.max(...wanted.map(Math.abs));
      expect(Math.max(...wanted.map((x, i) => Math.abs(x - (values[i] as number))))).toBeLessThan(
        1e-5 * scale,
      );
      await device.dispose();
    });
  });
}
