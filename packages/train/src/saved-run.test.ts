import { describe, expect, it } from "vitest";
import type { HostTree } from "./host-tree.js";
import { encodeSafetensors } from "./safetensors.js";
import { decodeRun, encodeRun, type RunRecord, type SavedRun } from "./saved-run.js";

const record: RunRecord = {
  setup: {
    model: "linear(1, 1)",
    optimizer: "sgd",
    seed: 2 ** 40,
    batchSize: 4,
    dropLast: false,
    rows: 10,
    x: "f32[1]",
    y: "i32[]",
    metrics: ["accuracy"],
  },
  epoch: 1,
  step: 4,
  stepInEpoch: 1,
  running: { rows: 4, sums: [0.1 + 0.2, -0] },
  skipped: 0,
  history: [{ epoch: 1, train: { loss: Number.NaN, accuracy: Infinity } }],
  best: { epoch: 1, restored: false },
  callbacks: { earlyStopping: { best: -Infinity, waited: 2 } },
};

const tree = (root: string, scalars: [string, number][] = []): HostTree => ({
  tensors: new Map([[`${root}.0.weight`, { dtype: "f32", shape: [1], data: new Float32Array([1]) }]]),
  scalars: new Map(scalars),
});

const saved: SavedRun = {
  record,
  parts: new Map([
    ["params", tree("params")],
    ["state", { tensors: new Map(), scalars: new Map() }],
    ["optimizer", tree("optimizer", [["optimizer.step", 1 / 3]])],
  ]),
};

describe("a saved run", () => {
  it("is read back exactly, with the numbers that JSON does not have", () => {
    expect(decodeRun("test", encodeRun(saved))).toEqual(saved);
  });

  it("must be a saved run", () => {
    const other = encodeSafetensors(new Map(), { format: "pt" });
    expect(() => decodeRun("test", other)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    expect(() => decodeRun("test", other)).toThrow("test: this is a safetensors file, but not a saved run");
  });

  it("of a later format asks for an update", () => {
    const later = encodeSafetensors(new Map(), { format: "gradus/2", run: "{}" });
    expect(() => decodeRun("test", later)).toThrow(expect.objectContaining({ code: "unsupported" }));
  });

  const withChanges = (changes: object) =>
    JSON.stringify({ ...record, history: [], parts: [], scalars: {}, ...changes });
  it.each([
    ["no JSON", "{", "the record of the run is not JSON"],
    ["no object", "1", "no valid content"],
    ["nothing in it", "{}", "no valid setup"],
    ["a negative epoch", withChanges({ epoch: -1 }), "no valid epoch"],
    ["sums that are no numbers", withChanges({ running: { rows: 1, sums: ["x"] } }), "no valid running"],
    ["a history of numbers", withChanges({ history: [1] }), "no valid history"],
    ["an unknown part", withChanges({ parts: ["nonsense"] }), "no valid parts"],
  ])("is corrupt with %s", (_, run, message) => {
    const bytes = encodeSafetensors(new Map(), { format: "gradus/1", run });
    expect(() => decodeRun("test", bytes)).toThrow(expect.objectContaining({ code: "corrupt-file" }));
    expect(() => decodeRun("test", bytes)).toThrow(message);
  });
});
