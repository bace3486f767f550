import { expect, it } from "vitest";
import { device } from "./device.js";

it("passes over software drivers of WebGPU and WebGL, and says so", async () => {
  const messages: string[] = [];
  const made = await device("auto", { log: (message) => messages.push(message) });
  expect(made.name).toBe("cpu");
  expect(messages[0]).toMatch(
    /^device: cpu, since the only graphics card is a software driver .*; by WebGL2 too .*SwiftShader/,
  );
  await made.dispose();
});

it("makes the card by WebGL that is named", async () => {
  const made = await device("webgl");
  expect(made.name).toBe("webgl");
  await made.dispose();
});
