import type { Tensor } from "@gradus/core";
import { compile, key } from "@gradus/tensor";
import { expect, it } from "vitest";
import { checkpointSequence, valueAndGrad } from "./index.js";

/** The plan's peak memory, of the text that explains it. */
function peakBytes(text: string): number {
  const [, number, prefix] = /peak ([\d.]+) ([kMG]?)B/.exec(text) ?? [];
  return Number(number) * 1000 ** ["", "k", "M", "G"].indexOf(prefix ?? "");
}

it("a plan of a 64-layer network with checkpoints takes a quarter of the memory, for the same gradient", () => {
  const k = key(0);
  const ws = Array.from({ length: 64 }, (_, i) => k.foldIn(i).normal([4, 4], { std: 0.5 }));
  const x = k.foldIn(100).normal([256, 4]);
  const stepOf = (sequence: typeof checkpointSequence) =>
    compile((params: Tensor[], input: Tensor) => {
      const network = (p: Tensor[]): Tensor =>
        sequence(p.map((w) => (h: Tensor) => h.matmul(w).tanh()))(input)
          .square()
          .mean();
      return valueAndGrad(network)(params);
    });
  const plain = stepOf((layers) => (h) => layers.reduce((y, layer) => layer(y), h));
  const saved = stepOf(checkpointSequence);
  const [value, grads] = saved(ws, x);
  const [expected, expectedGrads] = plain(ws, x);
  expect(value.item()).toBe(expected.item());
  grads.forEach((g, i) => {
    expect(g.toArray()).toEqual(expectedGrads[i]?.toArray());
  });
  expect(peakBytes(plain.explain()) / peakBytes(saved.explain())).toBeGreaterThan(4);
});
