import { expect, it } from "vitest";
import { jsonLine, table } from "./report.js";

const gradus = { lib: "gradus", workload: "matmul_256", threads: 1, times: [3, 1, 2], flops: 4e7 };
const other = { lib: "other", workload: "matmul_256", threads: 1, times: [5, 5, 4] };

it("prints a measurement as one line of JSON, with the median of its rounds", () => {
  expect(JSON.parse(jsonLine(gradus))).toEqual({
    lib: "gradus",
    workload: "matmul_256",
    threads: 1,
    median_ms: 2,
    gflops: 20,
  });
  expect(JSON.parse(jsonLine(other))).not.toHaveProperty("gflops");
});

it("prints a table with how much faster Gradus is", () => {
  const [head, , row, empty] = table([gradus, other, { ...other, workload: "sum", times: [0.001] }]).split(
    "\n",
  );
  expect(head).toMatch(/^\| workload +\| gradus +\| other +\|$/);
  expect(row).toContain("| 2.00 ms, 20.0 GFLOP/s | 5.00 ms (2.50x) |");
  expect(empty).toMatch(/\| sum +\| - +\| 1.00 us +\|/);
});
