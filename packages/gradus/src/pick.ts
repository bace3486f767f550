import { type Backend, GradusError } from "@gradus/core";

/** What makes a device, such as `gpu` and `cpu`: it rejects where there is none. */
export type MakeDevice = () => Backend | Promise<Backend>;

/**
 * The first device that there is: each is tried, in order, until one does not fail.
 *
 * Throws `unsupported`, with what each of them said, if all fail.
 *
 * @example
 * ```ts
 * import { cpu, gpu, pick, setDefaultDevice } from "gradus";
 * const device = await pick(gpu, cpu);
 * setDefaultDevice(device);
 * ```
 */
export async function pick(...makers: readonly MakeDevice[]): Promise<Backend> {
  const reasons: string[] = [];
  for (const make of makers) {
    try {
      return await make();
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  const tried = reasons.length === 0 ? "nothing was given to try" : reasons.join("; ");
  throw new GradusError("unsupported", `pick: none of ${makers.length} devices is there: ${tried}`);
}
