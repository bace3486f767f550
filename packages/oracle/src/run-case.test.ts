import { expect, it } from "vitest";
import { Lab } from "./lab.js";
import { type Outcome, runCase } from "./run-case.js";
import { parseGoldenFile } from "./schema/golden-file.js";

const vector = (...data: (number | string)[]) => ({ dtype: "float64", shape: [data.length], data });

async function outcomeOf(fields: object, section = "cases"): Promise<Outcome> {
  const { cases } = parseGoldenFile("some.json", {
    schema: "oracle-golden/1",
    [section]: [{ id: "a", ...fields }],
  });
  return runCase(cases[0] as (typeof cases)[number], new Lab(false, {}));
}

function loss(value: number, more: object = {}): object {
  const none = { value: vector(value), cotangent: vector(1), grads: {} };
  return {
    loss: "MSELoss",
    options: {},
    inputs: { input: vector(1), target: vector(3) },
    reductions: { none },
    ...more,
  };
}

it("passes a loss with its gradients, and fails it with others", async () => {
  const reductions = (grad: number) => ({
    none: { value: vector(4), cotangent: vector(2), grads: { input: vector(grad), target: null } },
  });
  expect(await outcomeOf(loss(4, { reductions: reductions(-8) }))).toEqual({ status: "passed" });
  expect(await outcomeOf(loss(4, { reductions: reductions(8) }))).toMatchObject({ status: "failed" });
});

it("does not fail another answer where PyTorch's is arguable", async () => {
  expect(await outcomeOf(loss(5))).toMatchObject({ status: "failed" });
  expect(await outcomeOf(loss(5, { quirk: true }))).toMatchObject({
    status: "passed",
    note: expect.stringMatching(/^quirk/),
  });
});

it("holds a quirk to the exact value where that is given", async () => {
  expect(await outcomeOf(loss(5, { quirk: true, exact_none: vector(4) }))).toMatchObject({
    status: "passed",
  });
  expect(await outcomeOf(loss(5, { quirk: true, exact_none: vector(6) }))).toMatchObject({
    status: "failed",
  });
});

it("takes a rejection as an answer to a quirk, and only there", async () => {
  const broadcast = {
    inputs: { input: { dtype: "float64", shape: [2, 1], data: [1, 2] }, target: vector(1, 2) },
  };
  expect(await outcomeOf(loss(0, broadcast))).toMatchObject({
    status: "failed",
    mismatches: [{ what: "rejected" }],
  });
  expect(await outcomeOf(loss(0, { ...broadcast, quirk: true }))).toMatchObject({ status: "passed" });
});

it("does not support unknown names, nor options that a translation does not know", async () => {
  const op = { op: "sum", options: { dim: 0, dtype: "float32" }, inputs: { input: vector(1) }, outputs: [] };
  expect(await outcomeOf(op)).toEqual({ status: "unsupported", what: "sum with dtype" });
  expect(await outcomeOf({ ...op, op: "toString" })).toEqual({ status: "unsupported", what: "toString" });
  expect(await outcomeOf(loss(4, { loss: "MyLoss" }))).toEqual({ status: "unsupported", what: "MyLoss" });
});

it("sets aside what must be translated by hand", async () => {
  const program = { code: ["y = x.frobnicate()"], inputs: { x: vector(1) }, out: {} };
  expect(await outcomeOf(program, "programs")).toMatchObject({ status: "untranslated" });
  const formula = { kind: "derivatives", formula: "frob(x)", inputs: { x: vector(1) }, derivatives: [] };
  expect(await outcomeOf(formula)).toMatchObject({ status: "untranslated" });
  expect(await outcomeOf({ code: "frob()", why: "" }, "rejected")).toMatchObject({ status: "untranslated" });
});

it("skips a parameter without gradient, and does not count the step for it", async () => {
  const sgd = {
    optimizer: "SGD",
    dtype: "float64",
    options: { lr: 1, momentum: 0.5, dampening: 0.5 },
    params: [vector(1), vector(1)],
    steps: 2,
    gradients: {
      kind: "given",
      steps: [
        [vector(1), null],
        [null, vector(1)],
      ],
    },
    // The first gradient joins the velocity whole: for the second parameter that is at the second step.
    expected: {
      params: [
        [vector(0), vector(1)],
        [vector(0), vector(0)],
      ],
    },
  };
  expect(await outcomeOf(sgd, "optimizers")).toEqual({ status: "passed" });
});
