import { type Backend, formatShape } from "@gradus/core";
import type { Plan, Slot } from "./plan.js";

/** A plan as text: one line a kernel, then the memory. */
export function explainPlan(plan: Plan, device: Backend): string {
  const rows = plan.launches.map((launch, i) => {
    const { kernel } = launch.executable;
    const written = launch.slots.slice(kernel.inputs.length).reduce((sum, slot) => sum + slot.bytes, 0);
    const read = launch.slots.slice(0, kernel.inputs.length).reduce((sum, slot) => sum + slot.bytes, 0);
    const number = String(i + 1).padStart(3);
    return `${number}  ${kernel.kind.padEnd(8)} ${launch.name.padEnd(24)} sizes ${formatShape(launch.sizes)}, reads ${read} B, writes ${written} B`;
  });
  const temporary = plan.temporaries.reduce((a, b) => a + b, 0);
  const sum = (slots: readonly Slot[]): number => slots.reduce((total, slot) => total + slot.bytes, 0);
  const fresh = plan.results
    .map((r) => r.slot)
    .filter((slot) => slot.kind === "result" && slot.reuses === undefined);
  const inPlace = plan.results.filter(
    ({ slot }) => slot.reuses !== undefined || slot.kind === "argument",
  ).length;
  return [
    `${plan.launches.length} kernels on ${device.name}`,
    ...rows,
    `memory: ${sum(plan.arguments)} B arguments, ${temporary} B temporaries in ${plan.temporaries.length} buffers, ` +
      `${sum(fresh)} B new results, ${inPlace} of ${plan.results.length} results in place`,
  ].join("\n");
}
