import { interpreter } from "@gradus/core";
import { describe, expect, it } from "vitest";
import { describeBackend } from "./describe-backend.js";
import { expectNoLeaks } from "./no-leaks.js";

// One rounding at the end instead of one an operation.
describeBackend("interpreter in float64", () => interpreter());

describeBackend("interpreter in float32", () => interpreter({ precision: "float32", collected: false }));

describe("expectNoLeaks", () => {
  it("passes if everything is given back, and returns the result", async () => {
    const device = interpreter({ collected: false });
    expect(expectNoLeaks(device, () => device.free(device.alloc(4)))).toBe(undefined);
    expect(await expectNoLeaks(device, async () => 7)).toBe(7);
  });

  it("fails if a buffer is left, also after waiting", async () => {
    const device = interpreter({ collected: false });
    expect(() => expectNoLeaks(device, () => device.alloc(4))).toThrow(
      "1 buffers on interpreter were not given back",
    );
    await expect(expectNoLeaks(device, async () => device.alloc(4))).rejects.toThrow("were not given back");
  });

  it("fails if a buffer of before is gone", () => {
    const device = interpreter({ collected: false });
    const buffer = device.alloc(4);
    expect(() => expectNoLeaks(device, () => device.free(buffer))).toThrow("freed that were there before");
  });
});
