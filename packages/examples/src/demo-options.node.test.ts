import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { demoOptions, UsageError } from "./demo-options.js";
import { recipes } from "./recipes.js";

describe("the demo's options", () => {
  it("have defaults", () => {
    expect(demoOptions([])).toMatchObject({
      help: false,
      json: false,
      recipeName: "default",
      recipe: recipes.default,
      changed: [],
      seed: 0,
      backend: "cpu",
      out: join(process.cwd(), "digits.gradus"),
    });
  });

  it("change the recipe", () => {
    const out = join(tmpdir(), "a.gradus");
    const args = [
      "--recipe=reference",
      "--epochs",
      "3",
      "--lr",
      "1e-2",
      "--batch-size=7",
      "--seed=-4",
      "--out",
      out,
    ];
    expect(demoOptions([...args, "--json"])).toMatchObject({
      json: true,
      recipeName: "reference",
      recipe: { ...recipes.reference, epochs: 3, lr: 0.01, batchSize: 7 },
      changed: ["epochs", "batch-size", "lr"],
      seed: -4,
      out,
    });
  });

  it.each([
    [["--backend", "tpu"], '--backend must be one of: cpu, interpreter. Got "tpu"'],
    [["--recipe", "best"], '--recipe must be one of: default, reference. Got "best"'],
    [["--epochs", "0"], '--epochs must be a whole number of at least 1, got "0"'],
    [["--epochs", ""], '--epochs must be a whole number of at least 1, got ""'],
    [["--batch-size", "1.5"], '--batch-size must be a whole number of at least 1, got "1.5"'],
    [["--lr", "fast"], '--lr must be a number greater than 0, got "fast"'],
    [["--seed", "x"], '--seed must be a whole number, got "x"'],
    [["--epoch", "3"], "Unknown option '--epoch'. --help lists the options"],
    [["--batch-size", "-3"], "Option '--batch-size' argument is ambiguous. --help lists the options"],
    [["digits"], "Unexpected argument 'digits'"],
    [["--out", join(tmpdir(), "there", "is", "none")], "--out: cannot write to the folder"],
    [["--out", tmpdir()], "--out must be a file"],
  ])("reject %j", (args, message) => {
    expect(() => demoOptions(args)).toThrow(UsageError);
    expect(() => demoOptions(args)).toThrow(message);
  });
});
