import { type Backend, formatShape } from "@gradus/core";
import { flopsOf } from "./flops.js";
import type { Plan, Slot } from "./plan.js";

/** A plan as text: one line a kernel, with what was joined in it and whether it leaves the device, then the memory. */
export function explainPlan(
  { launches, results, arguments: args, temporaries, captured }: Plan,
  device: Backend,
): string {
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const bytes = (slots: readonly Slot[]): number => sum(slots.map((slot) => slot.bytes));
  const rows = launches.map(({ name, executable, slots, sizes }, i) => {
    const { kernel } = executable;
    const inputs = kernel.inputs.length;
    return [
      String(i + 1),
      kernel.kind,
      name,
      formatShape(sizes),
      count(flopsOf(kernel, sizes), "FLOP"),
      `reads ${count(bytes([...new Set(slots.slice(0, inputs))]), "B")}`,
      `writes ${count(bytes(slots.slice(inputs)), "B")}${kernel.aliases ? " in place" : ""}`,
      executable.leavesDevice?.(sizes) === true ? "on the host" : "",
    ];
  });
  const flops = sum(launches.map(({ executable, sizes }) => flopsOf(executable.kernel, sizes)));
  const fresh = results.flatMap(({ slot }) =>
    slot.kind === "result" && slot.reuses === undefined ? [slot] : [],
  );
  const inPlace = results.filter(({ slot }) => slot.reuses !== undefined || slot.kind === "argument").length;
  const held = sum([...captured].map((storage) => storage.buffer.bytes));
  const peak = bytes(args) + held + sum(temporaries) + bytes(fresh);
  return [
    `${launches.length} kernels on ${device.name}, ${count(flops, "FLOP")}`,
    ...table(rows),
    `memory: peak ${count(peak, "B")} = arguments ${count(bytes(args), "B")} + captured ${count(held, "B")} + ` +
      `temporaries ${count(sum(temporaries), "B")} in ${temporaries.length} buffers + new results ${count(bytes(fresh), "B")}; ` +
      `${inPlace} of ${results.length} results in place`,
  ].join("\n");
}

/** Columns side by side; the first and those of numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] as number;
        return column === 0 || column === 4 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

const PREFIXES = ["", "k", "M", "G", "T"];

/** A number with a unit: `1.5 MB`. Three digits are enough to compare. */
function count(n: number, unit: string): string {
  let [value, power] = [n, 0];
  while (value >= 1000 && power < PREFIXES.length - 1) {
    value /= 1000;
    power++;
  }
  const digits = power === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${PREFIXES[power]}${unit}`;
}
