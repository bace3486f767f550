import { type MatrixUnits, matrixProbe } from "./emit/matrix-shader.js";

/** The feature by which cards offer their units for products of small matrices; browsers try it out so far. */
const MATRIX_FEATURE = "chromium-experimental-subgroup-matrix";

/** A shape of small matrices that a card multiplies; not among the types of WebGPU yet. */
interface Config {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

interface Info {
  readonly subgroupMatrixConfigs?: Iterable<Config>;
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
}

/** What units there are that take float16 and add in f32, unless there are none or subgroups differ in size. */
function offered(adapter: GPUAdapter): Omit<MatrixUnits, "isTemplated"> | undefined {
  const { subgroupMatrixConfigs = [], subgroupMinSize, subgroupMaxSize } = adapter.info as unknown as Info;
  if (subgroupMinSize === undefined || subgroupMinSize !== subgroupMaxSize) return undefined;
  for (const { componentType, resultComponentType, M, N, K } of subgroupMatrixConfigs) {
    if (componentType === "f16" && resultComponentType === "f32") {
      return { m: Number(M), n: Number(N), k: Number(K), subgroup: subgroupMinSize };
    }
  }
  return undefined;
}

/** The features that the units need; none where the card does not offer them. */
export function matrixFeatures(adapter: GPUAdapter): string[] {
  const needed = [MATRIX_FEATURE, "shader-f16", "subgroups"];
  return needed.every((feature) => adapter.features.has(feature)) && offered(adapter) !== undefined
    ? needed
    : [];
}

/** The units of a device that asked for their features, if its compiler takes one of the spellings known so far. */
export async function matrixUnitsOf(
  adapter: GPUAdapter,
  device: GPUDevice,
): Promise<MatrixUnits | undefined> {
  const units = device.features.has(MATRIX_FEATURE) ? offered(adapter) : undefined;
  if (units === undefined) return undefined;
  for (const isTemplated of [true, false]) {
    const found = { ...units, isTemplated };
    device.pushErrorScope("validation");
    device.createShaderModule({ label: "gradus units", code: matrixProbe(found) });
    if ((await device.popErrorScope()) === null) return found;
  }
  return undefined;
}
