import { describeBackend } from "@gradus/conformance";
import { fetchDigits } from "@gradus/datasets/web";
import { expect, it } from "vitest";
import { remote } from "./remote.js";
import { trainDigits } from "./train-digits.fixture.js";

const start = () => remote(new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }));

describeBackend("remote", start);

it("trains digits", async () => {
  const device = await start();
  expect(await trainDigits(device, await fetchDigits())).toBeGreaterThan(0.94);
  await device.dispose();
});
