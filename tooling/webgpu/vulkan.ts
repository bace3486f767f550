import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundled, launchOptions, unpack } from "../browser/chromium.js";

/**
 * Vitest's global set-up: a Vulkan driver for WebGPU in Node (the npm package `webgpu`), in this order: the one that
 * VK_DRIVER_FILES names, the one of an installed Chromium, the one that `@sparticuz/chromium` carries. It is SwiftShader, which
 * needs no graphics card.
 */
export async function setup(): Promise<void> {
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return;
  const driver = "vk_swiftshader_icd.json";
  const beside = [dirname(launchOptions.executablePath), "/usr/lib/chromium", bundled];
  if (!beside.some((folder) => existsSync(join(folder, driver)))) await unpack();
  const folder = beside.find((candidate) => existsSync(join(candidate, driver)));
  if (folder === undefined) return;
  process.env.VK_DRIVER_FILES = join(folder, driver);
  // Worker processes are started with these. The loader, libvulkan.so.1, lies beside the driver, or is the system's.
  process.env.LD_LIBRARY_PATH = [process.env.LD_LIBRARY_PATH, folder].filter(Boolean).join(":");
  process.env.XDG_RUNTIME_DIR ??= "/tmp";
}
