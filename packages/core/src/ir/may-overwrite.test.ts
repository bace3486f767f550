import { describe, expect, it } from "vitest";
import * as c from "./calculus.js";
import { axisIndex, constant, load, stage } from "./expr.js";
import type { ContractKernel, LoopKernel } from "./kernel.js";
import { mayOverwrite } from "./may-overwrite.js";
import { validateKernel } from "./validate.js";

const at = axisIndex(0);
const base: LoopKernel = {
  kind: "loop",
  name: "test",
  inputs: ["f32"],
  outputs: ["f32"],
  params: [],
  axes: 1,
  grid: 1,
  stages: [],
  writes: [{ over: [], buffer: 0, index: at, value: c.mul(load(0, "f32", at), 2) }],
};

describe("mayOverwrite", () => {
  it("holds where every element is read at the place that is written", () => {
    expect(mayOverwrite(base, 0, 0)).toBe(true);
    expect(() => validateKernel({ ...base, aliases: [0] })).not.toThrow();
  });

  it("holds beside stages and in a contraction that read other inputs", () => {
    const row = load(1, "f32", axisIndex(1));
    const twoInputs = { ...base, inputs: ["f32", "f32"] } as const;
    const write = { over: [], buffer: 0, index: at, value: c.mul(load(0, "f32", at), stage(0, "f32")) };
    const staged: LoopKernel = {
      ...twoInputs,
      axes: 2,
      stages: [{ over: [1], op: "sum", value: row, dtype: "f32" }],
      writes: [write],
    };
    expect(mayOverwrite(staged, 0, 0)).toBe(true);
    const contract: ContractKernel = {
      kind: "contract",
      name: "test",
      inputs: ["f32", "f32"],
      outputs: ["f32"],
      params: [],
      groups: { batch: 0, m: 1, n: 0, k: 1 },
      a: load(1, "f32", at),
      b: row,
      accumulate: "f32",
      writes: [{ buffer: 0, index: at, value: write.value }],
    };
    expect(mayOverwrite(contract, 0, 0)).toBe(true);
    expect(mayOverwrite({ ...contract, a: load(0, "f32", at) }, 0, 0)).toBe(false);
  });

  it.each<[string, Partial<LoopKernel>]>([
    [
      "a load from elsewhere",
      { writes: [{ over: [], buffer: 0, index: at, value: load(0, "f32", constant(0, "i32")) }] },
    ],
    [
      "stages that read it",
      {
        axes: 2,
        stages: [{ over: [1], op: "sum", value: load(0, "f32", at), dtype: "f32" }],
        writes: [{ over: [], buffer: 0, index: at, value: stage(0, "f32") }],
      },
    ],
    [
      "an index that is read from the input",
      {
        inputs: ["i32"],
        outputs: ["i32"],
        writes: [{ over: [], buffer: 0, index: load(0, "i32", constant(0, "i32")), value: at }],
      },
    ],
    [
      "a check with loops of its own, which runs later",
      { axes: 2, checks: [{ over: [1], holds: c.greater(load(0, "f32", at), 0), message: "" }] },
    ],
    [
      "another dtype",
      { inputs: ["i32"], writes: [{ over: [], buffer: 0, index: at, value: constant(0, "f32") }] },
    ],
  ])("does not hold for %s", (_, change) => {
    const kernel = { ...base, ...change };
    expect(mayOverwrite(kernel, 0, 0)).toBe(false);
    expect(() => validateKernel({ ...kernel, aliases: [0] })).toThrow(
      'kernel "test": output 0 may not overwrite input 0',
    );
  });

  it("is not for two outputs and one input", () => {
    const write = base.writes[0] as LoopKernel["writes"][0];
    const kernel: LoopKernel = {
      ...base,
      outputs: ["f32", "f32"],
      writes: [write, { ...write, buffer: 1 }],
      aliases: [0, 0],
    };
    expect(() => validateKernel(kernel)).toThrow("two outputs overwrite input 0");
  });
});
