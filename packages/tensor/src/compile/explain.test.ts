import { type Backend, interpreter, type Tensor } from "@gradus/core";
import { expect, it } from "vitest";
import { compile, ones } from "../index.js";

it("prints each kernel with what was joined in it, its sizes, operations and bytes, and the memory at its peak", () => {
  const dense = compile((x: Tensor, w: Tensor, b: Tensor) => x.matmul(w).add(b).tanh().sum());
  expect(dense.explain()).toBe(
    "compile: not called yet, so nothing is compiled. Call it, or pass arguments to explain().",
  );
  dense(ones([8, 100]), ones([100, 50]), ones([50]));
  // 2 x 8 x 100 x 50 for the product, an addition and a tanh of 400 sums; then 400 additions.
  expect(dense.explain()).toBe(
    [
      "2 kernels on interpreter, 81.2 kFLOP",
      "1  contract  matmul+add+tanh  [8, 50, 100]  80.8 kFLOP  reads 23.4 kB  writes 1.60 kB",
      "2  loop      sum              [400]           400 FLOP  reads 1.60 kB  writes 4 B",
      "memory: peak 25.0 kB = arguments 23.4 kB + captured 0 B + temporaries 1.60 kB in 1 buffers + new results 4 B; " +
        "0 of 1 results in place",
    ].join("\n"),
  );
});

it("shares memory of temporaries only with those of their size where a device copies what a kernel leaves alone", () => {
  const inner = interpreter();
  const caps = { ...inner.caps, copiesRest: true };
  const copying: Backend = Object.create(inner, { caps: { value: caps } });
  // Of 80 bytes, 40 and 60.
  const chain = (x: Tensor, w: Tensor, v: Tensor): Tensor =>
    x.matmul(w).matmul(w.transpose(0, 1)).matmul(v).sum();
  const explained = (device: Backend): string =>
    compile(chain).explain(ones([1, 10], { device }), ones([10, 20], { device }), ones([10, 15], { device }));
  expect(explained(inner)).toContain("temporaries 120 B in 2 buffers");
  expect(explained(copying)).toContain("temporaries 180 B in 3 buffers");
});
