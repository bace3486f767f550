import { describeBackend } from "@gradus/conformance";
import { digits } from "@gradus/datasets";
import { expect, it } from "vitest";
import { nodeWorker } from "./node-worker.fixture.js";
import { remote } from "./remote.js";
import { trainDigits } from "./train-digits.fixture.js";

describeBackend("remote", async () => remote(await nodeWorker()));

it("trains digits", async () => {
  const device = await remote(await nodeWorker());
  expect(await trainDigits(device, digits())).toBeGreaterThan(0.94);
  await device.dispose();
});
