import { interpreter } from "@gradus/core";
import { afterEach, expect, it, vi } from "vitest";
import { defaultDevice, ones, setDefaultDevice, tensor } from "./index.js";

afterEach(() => vi.restoreAllMocks());

it("places tensors on the device that was chosen, or that is named", async () => {
  const [first, second] = [interpreter(), interpreter()];
  setDefaultDevice(first);
  expect(defaultDevice()).toBe(first);
  expect(tensor([1]).device).toBe(first);
  expect(tensor([1], { device: second }).device).toBe(second);
  const moved = await tensor([1, 2]).to(second);
  expect([moved.device === second, moved.toArray()]).toEqual([true, [1, 2]]);
});

it("refuses tensors of two devices and names the mend", () => {
  const x = tensor([1], { device: interpreter() });
  expect(() => x.add(tensor([1], { device: interpreter() }))).toThrow(
    "add: tensors of two devices, interpreter and interpreter. Move one: await x.to(device)",
  );
});

it("says once which package makes a large program fast, unless the device was chosen", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const big = (): unknown => ones([1100, 1000]).matmul(ones([1000, 1000]));
  setDefaultDevice(interpreter());
  big();
  expect(warn).not.toHaveBeenCalled();
  setDefaultDevice(undefined);
  big();
  big();
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]?.[0]).toContain("@gradus/backend-cpu");
});
