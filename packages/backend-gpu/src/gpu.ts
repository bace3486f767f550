import { fail, GradusError } from "@gradus/core";
import { GpuBackend, type GpuDevice } from "./gpu-backend.js";
import { matrixFeatures, matrixUnitsOf } from "./matrix-units.js";
import type { Tuning } from "./tuner.js";

export interface GpuOptions {
  /**
   * What finds graphics cards. Default: `navigator.gpu`. In Node it comes from the npm package `webgpu`: `create([])`.
   */
  readonly gpu?: GPU;
  /** Which of several cards to prefer. Default `high-performance`. */
  readonly powerPreference?: GPUPowerPreference;
  /**
   * In what matrix products and convolutions take their operands: `f16` rounds them to float16, as mixed precision does, while
   * sums and everything else stay f32. Where the browser offers the card's units for products of small matrices ("tensor
   * cores"), it is much faster too. Tensors of the dtype f16 are another thing: they take half the memory. Small gradients vanish
   * in float16: train with `lossScaled` of `@gradus/optimizers`. Default `f32`.
   */
  readonly contractions?: "f32" | "f16";
  /**
   * Whether large matrix products and convolutions that come again and again are timed on the card in several layouts, a few
   * milliseconds at a time beside the work, and go on in the fastest one. Results do not change. Default true.
   */
  readonly autotune?: boolean;
  /** What `tuning()` of such a device gave before: it starts with those layouts. That of another card is ignored. */
  readonly tuning?: Tuning;
}

/**
 * The graphics card, by WebGPU: each kernel becomes a shader. f32, i32 and bool; f16 where the card has `shader-f16`, as
 * `caps.dtypes` says.
 *
 * Memory is not collected: eager code needs `scope`, `using` or `dispose`. Values are read by `await x.read()`; there
 * is no reading without waiting. Commands are handed to the card in batches, at the latest when the running code ends or
 * waits; so errors that only the card finds reject the next read.
 *
 * Throws `unsupported` where there is no WebGPU or no card.
 *
 * @example
 * ```ts types
 * import { gpu } from "@gradus/backend-gpu";
 * import { setDefaultDevice, tensor } from "@gradus/tensor";
 * setDefaultDevice(await gpu());
 * await tensor([1, 2, 3]).square().sum().read();
 * ```
 */
export function gpu(options: GpuOptions = {}): Promise<GpuDevice> {
  return openGpu(options);
}

/** {@link gpu}; tests lay kernels out for a card on a software driver too, and leave out what some cards have not. */
export async function openGpu(
  options: GpuOptions,
  { asCard = false, subgroups = true }: { readonly asCard?: boolean; readonly subgroups?: boolean } = {},
): Promise<GpuBackend> {
  const api = options.gpu ?? (globalThis.navigator as Navigator | undefined)?.gpu;
  if (api === undefined) {
    throw new GradusError(
      "unsupported",
      "gpu: this host has no WebGPU (no navigator.gpu). In Node, install the package webgpu and pass gpu({ gpu: create([]) }); " +
        "in a browser, update it or serve the page over https. cpu() of @gradus/backend-cpu works everywhere",
    );
  }
  keepAlive(api);
  const powerPreference = options.powerPreference ?? "high-performance";
  const adapter = await api.requestAdapter({ powerPreference });
  if (adapter === null) {
    throw new GradusError(
      "unsupported",
      "gpu: WebGPU finds no graphics card here, or its driver is blocked. cpu() of @gradus/backend-cpu works everywhere",
    );
  }
  const { contractions = "f32", autotune = true, tuning } = options;
  checkTuning(tuning);
  const name = nameOf(adapter);
  const isSoftware = !asCard && /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(name);
  const features = [
    "timestamp-query",
    "shader-f16",
    // Without the numbers of subgroups a shader cannot tell its threads' places.
    ...(subgroups && api.wgslLanguageFeatures?.has("subgroup_id") === true ? ["subgroups"] : []),
    ...matrixFeatures(adapter),
  ];
  const device = await openDevice(adapter, [...new Set(features)] as GPUFeatureName[]);
  const units = await matrixUnitsOf(adapter, device);
  const settings = { adapter: name, isSoftware, contractions, autotune, tuning, units };
  return new GpuBackend(device, settings);
}

function checkTuning(tuning: Tuning | undefined): void {
  if (tuning === undefined) return;
  const { adapter, choices } = tuning ?? {};
  const isTuning =
    typeof adapter === "string" &&
    typeof choices === "object" &&
    choices !== null &&
    Object.values(choices).every((choice) => typeof choice === "string");
  if (isTuning) return;
  fail(
    "invalid-argument",
    "gpu: tuning is not what tuning() of a graphics card gave; leave it out to begin anew",
  );
}

/** What the object that `create` of the package webgpu returns hangs on: Node crashes if it is collected. */
function keepAlive(api: GPU): void {
  const key = Symbol.for("gradus.gpu.instances");
  const holder = globalThis as { [key]?: Set<GPU> };
  holder[key] ??= new Set();
  holder[key].add(api);
}

/** Limits of which a device gets no more than it asks for. */
const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

async function openDevice(adapter: GPUAdapter, features: readonly GPUFeatureName[]): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = features.filter((name) => adapter.features.has(name));
  try {
    return await adapter.requestDevice({ label: "gradus", requiredLimits, requiredFeatures });
  } catch (cause) {
    throw new GradusError("unsupported", `gpu: the graphics card refuses a device (${String(cause)})`, {
      cause,
    });
  }
}

function nameOf({ info }: GPUAdapter): string {
  return [info.vendor, info.architecture, info.description].filter(Boolean).join(" ") || "graphics card";
}
