import { GradusError, interpreter, isGradusError } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { device } from "./device.js";
import { pick } from "./pick.js";

const missing = (): never => {
  throw new GradusError("unsupported", "no such card");
};

describe("device", () => {
  it("chooses by itself, and says what and why", async () => {
    const messages: string[] = [];
    const made = await device("auto", { log: (message) => messages.push(message) });
    // A software driver, as here, is no reason to leave the processor.
    expect(made.name).toBe("cpu");
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(
      /^device: cpu, since (gpu: this host has no WebGPU|the only graphics card is a software)/,
    );
    await made.dispose();
  });

  it("makes what is named", async () => {
    expect((await device("cpu")).name).toBe("cpu");
    expect((await device("interpreter")).name).toBe("interpreter");
  });

  it("refuses a name that it does not know", async () => {
    await expect(device("tpu" as "cpu")).rejects.toSatisfy((e) => isGradusError(e, "invalid-argument"));
  });
});

describe("pick", () => {
  it("takes the first that there is", async () => {
    expect((await pick(missing, () => interpreter())).name).toBe("interpreter");
  });

  it("says what each of them said if there is none", async () => {
    await expect(pick(missing, missing)).rejects.toThrow("no such card; no such card");
    await expect(pick()).rejects.toSatisfy((e) => isGradusError(e, "unsupported"));
  });
});
