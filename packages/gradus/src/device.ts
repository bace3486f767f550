import { cpu } from "@gradus/backend-cpu";
import { type GpuOptions, gpu } from "@gradus/backend-gpu";
import { type Backend, fail, interpreter } from "@gradus/core";
import { mayHaveWebgl, webglDevice } from "./webgl-device.js";

export type DeviceName = "auto" | "gpu" | "webgl" | "cpu" | "interpreter";

export interface DeviceOptions extends GpuOptions {
  /** Is told which device `auto` chose, and why. Default: `console.info`. */
  readonly log?: (message: string) => void;
}

/**
 * A device by name. `auto` is the graphics card where there is a real one: by WebGPU, or by WebGL2 if the package
 * `@gradus/backend-webgl` is installed. Else it is the processor by WebAssembly, else the reference interpreter, which is slow
 * and runs everywhere; it says what it chose, and why.
 *
 * `gpu`, `webgl` and `cpu` reject with `unsupported` where there is none.
 *
 * @example
 * ```ts
 * import { device, setDefaultDevice, tensor } from "gradus";
 * const messages: string[] = [];
 * setDefaultDevice(await device("auto", { log: (message) => messages.push(message) }));
 * await tensor([1, 2, 3]).sum().read();
 * setDefaultDevice(undefined);
 * ```
 */
export async function device(name: DeviceName = "auto", options: DeviceOptions = {}): Promise<Backend> {
  switch (name) {
    case "gpu":
      return await gpu(options);
    case "webgl":
      return await webglDevice();
    case "cpu":
      return await cpu();
    case "interpreter":
      return interpreter();
    case "auto":
      return await choose(options);
    default:
      return fail(
        "invalid-argument",
        `device: unknown device ${JSON.stringify(name satisfies never)}: use auto, gpu, webgl, cpu or interpreter`,
      );
  }
}

async function choose(options: DeviceOptions): Promise<Backend> {
  const log = options.log ?? logToConsole;
  let why: string;
  try {
    const made = await gpu(options);
    if (!made.isSoftware) {
      log(`device: gpu, since there is a graphics card (${made.adapter})`);
      return made;
    }
    await made.dispose();
    why = `the only graphics card is a software driver (${made.adapter})`;
  } catch (error) {
    why = messageOf(error);
  }
  if (mayHaveWebgl()) {
    try {
      const made = await webglDevice();
      if (!made.isSoftware) {
        log(`device: webgl, since ${why}, but there is a graphics card with WebGL2 (${made.adapter})`);
        return made;
      }
      await made.dispose();
      why += `; by WebGL2 too (${made.adapter})`;
    } catch (error) {
      why += `; ${messageOf(error)}`;
    }
  }
  try {
    const made = await cpu();
    log(`device: cpu, since ${why}`);
    return made;
  } catch (error) {
    log(`device: interpreter, since ${why}; and ${messageOf(error)}`);
    return interpreter();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function logToConsole(message: string): void {
  // biome-ignore lint/suspicious/noConsole: the choice is for the person who runs the program, who may pass another log
  console.info(message);
}
